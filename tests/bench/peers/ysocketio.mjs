// y-socket.io's server as its documentation shows it: node ysocketio.mjs PORT
import { createServer } from "node:http";
import { Server } from "socket.io";
import { YSocketIO } from "y-socket.io/dist/server";

const http = createServer((_request, response) => response.end());
new YSocketIO(new Server(http)).initialize();
http.listen(Number(process.argv[2]), "127.0.0.1");
