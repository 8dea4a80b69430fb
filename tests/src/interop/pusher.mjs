// A site whose channels a server of Pusher's protocol serves: it publishes and signs by Pusher's own SDK for Node.
//
//   node pusher.mjs PORT FOLDER SERVER ID KEY SECRET      pusher is installed in FOLDER/node_modules; SERVER is the port of a server here
//
//   GET  /health
//   POST /publish?channel=ticks       a JSON array of messages, each an event of the name in its `kind`, by one request to the server
//   POST /publish?user=wall           the same, to the connections of a user
//   POST /terminate?user=wall         ends those
//   POST /guest?socket=…&channel=…    the signature for somebody else on a presence channel
//   POST /broadcasting/auth           what Laravel has there: a form; `private-ticks` and `private-orders` want a bearer token, a JWT by
//                                     the app's secret
//   POST /broadcasting/user-auth      the same for signing in, as the user `wall`

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const [port, folder, server, appId, key, secret] = process.argv.slice(2);
const Pusher = createRequire(join(folder, "here.cjs"))("pusher");
const pusher = new Pusher({
    appId,
    key,
    secret,
    host: "127.0.0.1",
    port: server,
    useTLS: false,
    encryptionMasterKeyBase64: createHmac("sha256", secret).update("encrypted channels").digest("base64"),
});

/** Fails with what the server refuses. Soketi's refusals have the status 200 as well, and say so in their body. */
async function taken(answer) {
    const text = await (await answer).text();
    if (JSON.parse(text || "{}").error !== undefined) throw new Error(text);
}

async function publish(how, messages) {
    const user = how.get("user");
    if (user === null) {
        const channel = how.get("channel");
        return taken(pusher.triggerBatch(messages.map((data) => ({ channel, name: data.kind, data }))));
    }
    for (const data of messages) await taken(pusher.sendToUser(user, data.kind, data));
}

function isGood(token) {
    const [head, claims, tag = ""] = token.split(".");
    const own = createHmac("sha256", secret).update(`${head}.${claims}`).digest();
    const its = Buffer.from(tag, "base64url");
    if (its.length !== own.length || !timingSafeEqual(own, its)) return false;
    const { exp = Infinity } = JSON.parse(Buffer.from(claims, "base64url").toString());
    return Date.now() < exp * 1000;
}

const member = (user) => ({ user_id: user, user_info: { name: user } });

/** Signs for who shows a token that is good, and says who it is on a presence channel. */
function authorise(form, token) {
    const [socket, channel] = [form.get("socket_id"), form.get("channel_name")];
    if (channel.startsWith("presence-")) return pusher.authorizeChannel(socket, channel, member("wall"));
    if (["private-ticks", "private-orders"].includes(channel) && !isGood(token)) return undefined;
    return pusher.authorizeChannel(socket, channel);
}

async function answer(url, body, token) {
    const how = url.searchParams;
    switch (url.pathname) {
        case "/health":
            return {};
        case "/publish":
            await publish(how, JSON.parse(body));
            return {};
        case "/terminate":
            await taken(pusher.terminateUserConnections(how.get("user")));
            return {};
        case "/guest":
            return pusher.authorizeChannel(how.get("socket"), how.get("channel"), member("guest"));
        case "/broadcasting/auth":
            return authorise(new URLSearchParams(body), token);
        case "/broadcasting/user-auth":
            return pusher.authenticateUser(new URLSearchParams(body).get("socket_id"), { id: "wall" });
        default:
            throw new Error(`nothing at ${url.pathname}`);
    }
}

// A test that rests would find its connection closed in the moment of its next request.
createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
        const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
        try {
            const url = new URL(request.url, "http://localhost");
            const said = await answer(url, Buffer.concat(chunks).toString(), token);
            response.statusCode = said === undefined ? 401 : 200;
            response.setHeader("content-type", "application/json");
            response.end(JSON.stringify(said ?? {}));
        } catch (error) {
            // The SDK's own errors say what the server answered.
            response.statusCode = 502;
            response.end(`${error.message} ${error.status ?? ""} ${error.body ?? ""}`);
        }
    });
}).listen(Number(port), "127.0.0.1");
