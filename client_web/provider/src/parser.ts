/**
 * Socket.IO's parser with the frames of protocols 2 and 3: an update is one binary frame instead of a text and its attachment.
 *
 * Everything else travels as Socket.IO's own parser has it, CONNECT before all. So a server of protocol 1 is understood: its
 * answer to CONNECT names no protocol, and nothing but protocol 1 is spoken on that connection.
 */

import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { Decoder, Encoder, type Packet, PacketType } from "socket.io-parser";
import { WireError } from "./wire.js";

/** The protocol that every server speaks, and the newest one that is spoken here. */
export const OLDEST = 1;
export const NEWEST = 3;

/** The first byte of an update. */
const UPDATE = 1;
const EVENT = "update";

/** A parser for one connection, as the option `parser` of socket.io-client wants it. Both halves know whether it is protocol 1. */
export function parser(): { readonly Encoder: typeof Encoder; readonly Decoder: typeof Decoder } {
  let isNew = false;
  /** Attachments that belong to the last text and are still to come. */
  let awaited = 0;
  return {
    Encoder: class extends Encoder {
      override encode(packet: Packet): unknown[] {
        const frame = isNew && encodeUpdate(packet);
        return frame ? [frame] : super.encode(packet);
      }
    },
    Decoder: class extends Decoder {
      override add(frame: unknown): void {
        if (typeof frame === "string") {
          awaited = frame >= "5" ? Number.parseInt(frame.slice(1), 10) : 0; // 5 and 6 announce attachments
          if (frame < "1") isNew = /"protocol":[23]/.test(frame);
        } else if (isNew && awaited-- <= 0) {
          this.emitReserved("decoded", { type: PacketType.EVENT, nsp: "/", data: decodeUpdate(frame) });
          return;
        }
        super.add(frame);
      }
    },
  };
}

/** Write an update that wants an answer; null for anything else. */
function encodeUpdate({ id, data }: Packet): Uint8Array | null {
  if (id === undefined || data[0] !== EVENT) return null;
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, UPDATE);
  encoding.writeVarString(encoder, data[1]);
  encoding.writeVarUint(encoder, id);
  encoding.writeVarUint(encoder, data.length > 3 ? data[2] + 1 : 0);
  encoding.writeUint8Array(encoder, data.at(-1));
  return encoding.toUint8Array(encoder);
}

/** Read the event that a frame of the server is; the batch shares the frame's memory. */
function decodeUpdate(frame: unknown): readonly unknown[] {
  const content = new Uint8Array(frame as ArrayBuffer); // or a Buffer in Node
  const decoder = decoding.createDecoder(content);
  if (decoding.readVarUint(decoder) !== UPDATE) throw new WireError("There is no such frame.");
  return [
    EVENT,
    decoding.readVarString(decoder),
    decoding.readVarUint(decoder),
    content.subarray(decoder.pos),
  ];
}
