// A server of numbered messages over a bare WebSocket, in the shape of exchanges' public feeds, driven over HTTP for tests in another
// language.
//
//   node websocket.mjs PORT FOLDER FILE SECRET     ws is installed in FOLDER/node_modules; FILE keeps what was published
//
//   GET  /health
//   POST /publish?channel=open              a JSON array of messages
//   POST /kick?channel=closed               takes back what its subscribers may do
//   GET  /tokens                            the token that was shown last, and how many weren't good since the first one that was
//
// What a client says, and what it is told:
//
//   {"type":"subscribe","channel":"open","after":7,"token":"…"}     {"type":"subscribed","channel":"open"}
//   {"type":"ping"}                                                 {"type":"pong"}
//                                                                   {"type":"message","channel":"open","sequence":8,"message":…}
//                                                                   {"type":"error","message":"not authorised"}
//
// Numbers go up by one in a channel and never begin again: a server that has lost its state begins at the time of day. Whoever asks for
// what comes after a number that is still kept is sent that one once more, and all that follows; of any other number nothing is known,
// and what is new is sent. The last HISTORY messages are kept. Anybody may subscribe to `open`; `closed` wants a JWT that SECRET signed, at
// whose end the connection is closed.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

import { at, Tokens } from "./tokens.mjs";

const HISTORY = 200;
// What waits for a client that doesn't read.
const BUFFER_MAX = 64 << 20;

const [port, folder, file, secret] = process.argv.slice(2);
const { WebSocketServer } = createRequire(join(folder, "here.cjs"))("ws");

const channels = new Map();
for (const name of ["open", "closed"]) channels.set(name, { last: Date.now() * 1000, kept: [], clients: new Set() });

function take(name, text, sequence) {
    const channel = channels.get(name);
    channel.last = sequence;
    channel.kept.push({ sequence, text });
    if (channel.kept.length > HISTORY) channel.kept.shift();
}

if (existsSync(file)) {
    const whole = readFileSync(file, "utf8").split("\n").slice(0, -1);
    // The last one may have been cut off.
    writeFileSync(file, whole.map((line) => `${line}\n`).join(""));
    for (const line of whole) {
        const { channel, sequence } = JSON.parse(line);
        take(channel, line, sequence);
    }
}

function publish(name, messages) {
    const channel = channels.get(name);
    const lines = messages.map((message, at) =>
        JSON.stringify({ type: "message", channel: name, sequence: channel.last + at + 1, message }),
    );
    // Kept before it is told: nobody knows a number that isn't given for good.
    appendFileSync(file, lines.map((line) => `${line}\n`).join(""));
    for (const line of lines) {
        take(name, line, channel.last + 1);
        for (const client of channel.clients) {
            if (client.bufferedAmount > BUFFER_MAX) client.terminate();
            else client.send(line);
        }
    }
}

const tokens = new Tokens(secret);

// Whether who shows this token may subscribe, until its end.
function admits(client, token) {
    const end = tokens.take(token);
    if (end !== undefined) client.on("close", at(end, () => client.close(1008, "the token has expired")));
    return end !== undefined;
}

function subscribe(client, { channel: name, after, token }) {
    const channel = channels.get(name);
    if (!channel || (name === "closed" && !admits(client, token))) {
        client.send(JSON.stringify({ type: "error", message: "not authorised" }));
        return;
    }
    client.send(JSON.stringify({ type: "subscribed", channel: name }));
    if (channel.kept.some(({ sequence }) => sequence === after)) {
        for (const { sequence, text } of channel.kept) if (sequence >= after) client.send(text);
    }
    channel.clients.add(client);
    client.on("close", () => channel.clients.delete(client));
}

// A test that rests would find its connection closed in the moment of its next request.
const http = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const url = new URL(request.url, "http://localhost");
    const name = url.searchParams.get("channel") ?? "open";
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
        if (url.pathname === "/publish") {
            publish(name, JSON.parse(Buffer.concat(chunks).toString()));
        } else if (url.pathname === "/kick") {
            const { clients } = channels.get(name);
            for (const client of clients) client.send(JSON.stringify({ type: "error", message: "no longer authorised" }));
            clients.clear();
        } else if (url.pathname === "/tokens") {
            response.write(JSON.stringify(tokens.account));
        } else if (url.pathname !== "/health") {
            response.statusCode = 404;
        }
        response.end();
    });
});

new WebSocketServer({ server: http }).on("connection", (client) => {
    client.on("error", () => client.terminate());
    client.on("message", (data) => {
        let said;
        try {
            said = JSON.parse(data.toString());
        } catch {
            client.close(1003, "no JSON");
            return;
        }
        if (said?.type === "ping") client.send(JSON.stringify({ type: "pong" }));
        else if (said?.type === "subscribe") subscribe(client, said);
    });
});
http.listen(Number(port), "127.0.0.1");
