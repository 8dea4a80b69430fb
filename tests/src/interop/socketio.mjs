// A Socket.IO server that is driven over HTTP, for tests in another language.
//
//   node socketio.mjs PORT FOLDER SECRET [ADAPTER [REDIS]]      socket.io is installed in FOLDER/node_modules
//
// ADAPTER is memory, redis (Pub/Sub) or streams; REDIS is the port of one on this machine. With Redis, what is published comes from a
// second server that nobody is connected to, by way of Redis.
//
//   GET  /health
//   POST /publish?namespace=/open       a JSON array of messages, each an event of the name in its `kind`; with `&ack`, which wants an
//                                       answer to each from all who are there, and answers with how many there were; with `&binary`,
//                                       each has its number in bytes, as `bytes` and as `more.bytes`. One with nothing but its
//                                       `kind` is an event without a body
//   POST /bytes?namespace=/open&size=7  an event `bytes` with that many of them
//   POST /upgrades?on                   from now on WebSockets can be had; without `on`, what asks for one is cut off
//   POST /kick?namespace=/closed        ends every connection to it
//   GET  /tokens                        the token that was shown last, and how many weren't good since the first one that was
//
// Anybody may join /open and /orders; /closed wants a JWT that SECRET signed, at whose end the connection is closed. Both keep their last HISTORY events for those who come back: the server itself
// keeps them by time alone, and here a test has to wait for nothing.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

import { at, Tokens } from "./tokens.mjs";

const HISTORY = 200;

const [port, folder, secret, adapter = "memory", redis] = process.argv.slice(2);
const required = createRequire(join(folder, "here.cjs"));
const { Server } = required("socket.io");

async function adapted() {
    if (adapter === "memory") return {};
    const connect = () => required("redis").createClient({ url: `redis://127.0.0.1:${redis}` }).connect();
    if (adapter === "streams") {
        // What its reader hasn't come to when the stream is cut off is lost without a word: here there is room for a flood.
        const room = { maxLen: 200_000, readCount: 1000 };
        return { adapter: required("@socket.io/redis-streams-adapter").createAdapter(await connect(), room) };
    }
    return { adapter: required("@socket.io/redis-adapter").createAdapter(await connect(), await connect()) };
}

const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } };

const ANSWER_MAX = 10_000;

async function publish(namespace, messages, how) {
    if (how.has("ack")) {
        const answers = await Promise.all(
            messages.map((message) => namespace.timeout(ANSWER_MAX).emitWithAck(message.kind, message)),
        );
        return answers.map(({ length }) => length);
    }
    for (const message of messages) {
        if (how.has("binary")) {
            const bytes = Buffer.alloc(4);
            bytes.writeUInt32BE(message.n);
            Object.assign(message, { bytes, more: { bytes } });
        }
        namespace.emit(message.kind, ...(Object.keys(message).length > 1 ? [message] : []));
    }
    const packets = adapter === "memory" ? namespace.adapter.packets : [];
    packets.splice(0, Math.max(0, packets.length - HISTORY));
}

let upgrades = true;

// It closes what is idle as servers do: by that it sees after a stop who has gone meanwhile, and keeps their sessions.
const http = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    const how = url.searchParams;
    const namespace = publisher.of(how.get("namespace") ?? "/open");
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
        let answer;
        try {
            if (url.pathname === "/publish") {
                answer = await publish(namespace, JSON.parse(Buffer.concat(chunks).toString()), how);
            } else if (url.pathname === "/bytes") {
                namespace.emit("bytes", Buffer.alloc(Number(how.get("size"))));
            } else if (url.pathname === "/upgrades") {
                upgrades = how.has("on");
            } else if (url.pathname === "/kick") {
                namespace.disconnectSockets(true);
            } else if (url.pathname === "/tokens") {
                answer = tokens.account;
            } else if (url.pathname !== "/health") {
                response.statusCode = 404;
            }
        } catch (error) {
            response.statusCode = 500;
            answer = error.message;
        }
        response.end(answer && JSON.stringify(answer));
    });
});

const io = new Server(http, { ...recovery, ...(await adapted()) });
// As what lies between may do.
const upgrade = http.listeners("upgrade");
http.removeAllListeners("upgrade");
http.on("upgrade", (request, socket, head) => {
    if (!upgrades) socket.destroy();
    else for (const listener of upgrade) listener.call(http, request, socket, head);
});
const publisher = adapter === "memory" ? io : new Server({ ...recovery, ...(await adapted()) });
for (const server of new Set([io, publisher])) for (const name of ["/open", "/orders"]) server.of(name);
const tokens = new Tokens(secret);
const closed = io.of("/closed");
closed.use((socket, next) => {
    const isGood = tokens.endOf(socket.handshake.auth.token) !== undefined;
    next(isGood ? undefined : new Error("not authorised"));
});
// Whoever is given a session back comes by no middleware.
closed.on("connection", (socket) => {
    const end = tokens.take(socket.handshake.auth.token);
    if (end === undefined) socket.disconnect(true);
    // The connection, not the session.
    else socket.on("disconnect", at(end, () => socket.conn.close()));
});
http.listen(Number(port), "127.0.0.1");
