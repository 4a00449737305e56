/** Updates in one frame each, as the server's tests read and write them; and old servers, which know nothing of that. */

import { type Packet, PacketType } from "socket.io-parser";
import { describe, expect, it } from "vitest";
import vectors from "../../../tests/vectors/native_protocol.json";
import { parser } from "../src/parser.js";
import { bytesOf, revive } from "./harness/vectors.js";

const frames = vectors.updates_in_one_frame;
const ANSWER_OF_OLD = '0{"sid":"s"}';
const ANSWER = '0{"sid":"s","protocol":3}';
const ANSWERS = [ANSWER, '0{"sid":"s","protocol":2}'];

/** Both halves of a connection's parser, after an answer to CONNECT. */
function connection(answer: string) {
  const { Encoder, Decoder } = parser();
  const [encoder, decoder] = [new Encoder(), new Decoder()];
  const heard: Packet[] = [];
  decoder.on("decoded", (packet) => heard.push(packet));
  const hear = (...pieces: readonly unknown[]): readonly Packet[] => {
    heard.length = 0;
    for (const piece of pieces) decoder.add(piece);
    return [...heard];
  };
  const write = (id: number | undefined, ...data: readonly unknown[]) =>
    encoder.encode({ type: PacketType.EVENT, nsp: "/", data, ...(id === undefined ? {} : { id }) });
  hear(answer);
  return { decoder, hear, write };
}

describe.each(ANSWERS)("with a server that answers %s", (ANSWER) => {
  it.each(frames.from_server)("$story is one frame", ({ arguments: args, frame }) => {
    const { hear } = connection(ANSWER);
    const event = { type: PacketType.EVENT, nsp: "/", data: ["update", ...(revive(args) as unknown[])] };
    expect(hear(bytesOf(frame))).toEqual([event]);
    expect(hear(bytesOf(frame).buffer)).toEqual([event]);
  });

  it.each(frames.from_client)("$story: one frame", ({ ack_id, arguments: args, frame }) => {
    const { write } = connection(ANSWER);
    expect(write(ack_id, "update", ...(revive(args) as unknown[]))).toEqual([bytesOf(frame)]);
  });

  it.each(frames.none)("a frame is refused: $story", ({ frame }) => {
    expect(() => connection(ANSWER).hear(bytesOf(frame))).toThrow();
  });

  it("everything else travels as Socket.IO has it", () => {
    const { hear, write } = connection(ANSWER);
    const join = write(1, "join", "aaaaaaaa", { state_vector: Uint8Array.of(0) });
    expect(join).toEqual([
      '51-1["join","aaaaaaaa",{"state_vector":{"_placeholder":true,"num":0}}]',
      Uint8Array.of(0),
    ]);
    expect(write(undefined, "update", "aaaaaaaa", Uint8Array.of(0))).toHaveLength(2);
    const [missing, [row]] = [Uint8Array.of(1, 2), frames.from_server];
    const answer = hear('61-1[{"missing":{"_placeholder":true,"num":0}}]', missing, bytesOf(row?.frame));
    expect(answer.map((packet) => packet.type)).toEqual([PacketType.ACK, PacketType.EVENT]);
    expect(answer[0]?.data).toEqual([{ missing }]);
  });
});

it("a server of protocol 1 hears and says nothing in one frame, also when a newer one was there before", () => {
  const { decoder, hear, write } = connection(ANSWER);
  hear('51-["update",{"_placeholder":true,"num":0}]'); // lost before its attachment
  decoder.destroy();
  const [update, [row]] = [Uint8Array.of(1, 0), frames.from_server];
  expect(hear(ANSWER, bytesOf(row?.frame))).toHaveLength(2);
  decoder.destroy();
  hear(ANSWER_OF_OLD);
  expect(write(1, "update", "aaaaaaaa", 0, update)).toEqual([
    '51-1["update","aaaaaaaa",0,{"_placeholder":true,"num":0}]',
    update,
  ]);
  expect(() => hear(bytesOf(row?.frame))).toThrow();
});
