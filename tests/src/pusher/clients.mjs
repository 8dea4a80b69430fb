// Pusher's own clients and SDK, and Laravel Echo, before a server of Pusher's protocol, unmodified: each step says what it has seen.
//
//   node clients.mjs FOLDER PORT ID KEY SECRET       they are installed in FOLDER/node_modules
//
// Prints a line of JSON for each step that was proven, `{"proven": "…"}`; after the last but one, `{"awaits": "restart"}`, and goes on when a line
// comes on its input. What isn't so is an error, and the exit code 1.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, port, appId, key, secret] = process.argv.slice(2);
const require = createRequire(join(folder, "here.cjs"));
const Server = require("pusher");
const Client = require("pusher-js");
const { default: Echo } = await import(pathToFileURL(join(folder, "node_modules/laravel-echo/dist/echo.js")));

const PATIENCE_MS = 20_000;
const server = new Server({
    appId, key, secret, host: "127.0.0.1", port, useTLS: false,
    encryptionMasterKeyBase64: Buffer.alloc(32, 7).toString("base64"),
});

/** A site's own addresses of authorisation, as Laravel has them. */
const site = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const form = new URLSearchParams(text);
    const socket = form.get("socket_id");
    const user = request.headers["x-user"] ?? "1";
    const channel = form.get("channel_name");
    const who = channel?.startsWith("presence-") ? { user_id: user, user_info: { name: `User ${user}` } } : undefined;
    const answer = request.url.endsWith("user-auth")
        ? server.authenticateUser(socket, { id: user, name: `User ${user}` })
        : server.authorizeChannel(socket, channel, who);
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
});
site.listen(0, "127.0.0.1");
await once(site, "listening");
const origin = `http://127.0.0.1:${site.address().port}`;

const settings = (user) => ({
    wsHost: "127.0.0.1", wsPort: Number(port), forceTLS: false, enabledTransports: ["ws"], disableStats: true, cluster: "",
    channelAuthorization: { endpoint: `${origin}/broadcasting/auth`, transport: "ajax", headers: { "x-user": user } },
    userAuthentication: { endpoint: `${origin}/broadcasting/user-auth`, transport: "ajax", headers: { "x-user": user } },
});
const client = (user = "1", own = key) => new Client(own, settings(user));

/** Answers with what `bind` gives to its callback, or fails. */
function told(what, bind) {
    return new Promise((done, fail) => {
        const timer = setTimeout(() => fail(new Error(`not told: ${what}`)), PATIENCE_MS);
        bind((heard) => {
            clearTimeout(timer);
            done(heard);
        });
    });
}

/** Answers when something is so. */
async function until(what, is_so) {
    for (let tries = 0; tries < PATIENCE_MS / 20; tries += 1) {
        if (await is_so()) return;
        await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`not so: ${what}`);
}

const connected = (pusher) =>
    pusher.connection.state === "connected"
        ? Promise.resolve()
        : told("connected", (then) => pusher.connection.bind("connected", then));
const subscribed = (channel) =>
    channel.subscribed ? Promise.resolve() : told(`subscribed to ${channel.name}`, (then) => channel.bind("pusher:subscription_succeeded", then));
const event = (channel, name) => told(`${name} on ${channel.name}`, (then) => channel.bind(name, then));

const proven = (what) => console.log(JSON.stringify({ proven: what }));

const one = client("1");
const two = client("2");
await Promise.all([connected(one), connected(two)]);

{
    const channel = one.subscribe("orders");
    await subscribed(channel);
    for (const data of [{ a: 1, b: ["ä", null] }, "plain", "12", [1, 2], { nested: JSON.stringify({ x: '"' }) }]) {
        const heard = event(channel, "shipped");
        await server.trigger("orders", "shipped", data);
        // What is a text that holds JSON is what it holds: so is this protocol.
        assert.deepEqual(await heard, data === "12" ? 12 : data);
        channel.unbind_all();
    }
    const names = [];
    channel.bind_global((name) => names.push(name));
    await server.trigger(["orders", "elsewhere"], "App\\Events\\OrderShipped", {});
    await until("a name with backslashes", () => names.includes("App\\Events\\OrderShipped"));
    channel.unbind_all();
    channel.unbind_global();
    proven("public");
}

{
    const heard = [];
    const own = one.subscribe("orders");
    const other = two.subscribe("orders");
    await Promise.all([subscribed(own), subscribed(other)]);
    own.bind("changed", () => heard.push("own"));
    other.bind("changed", () => heard.push("other"));
    await server.trigger("orders", "changed", {}, { socket_id: one.connection.socket_id });
    await server.trigger("orders", "changed", {});
    await until("both", () => heard.length === 3);
    assert.deepEqual(heard.filter((who) => who === "own").length, 1);
    own.unbind_all();
    other.unbind_all();
    proven("but the sender");
}

{
    const channel = one.subscribe("private-orders");
    await subscribed(channel);
    const heard = event(channel, "shipped");
    await server.trigger("private-orders", "shipped", { order: 7 });
    assert.deepEqual(await heard, { order: 7 });

    const forged = new Client(key, {
        ...settings("1"),
        channelAuthorization: { customHandler: (_, done) => done(null, { auth: `${key}:${"0".repeat(64)}` }) },
    });
    const refused = forged.subscribe("private-orders");
    const error = await told("the refusal", (then) => refused.bind("pusher:subscription_error", then));
    assert.equal(error.status, 401);
    assert.equal(refused.subscribed, false);
    forged.disconnect();
    proven("private");
}

{
    const first = one.subscribe("presence-room");
    await subscribed(first);
    assert.equal(first.members.count, 1);
    assert.deepEqual(first.members.me, { id: "1", info: { name: "User 1" } });
    const came = event(first, "pusher:member_added");
    const second = two.subscribe("presence-room");
    await subscribed(second);
    assert.deepEqual(await came, { id: "2", info: { name: "User 2" } });
    assert.deepEqual(Object.keys(second.members.members).sort(), ["1", "2"]);

    const users = await (await server.get({ path: "/channels/presence-room/users" })).json();
    assert.deepEqual(users.users.map(({ id }) => id).sort(), ["1", "2"]);
    const about = await (await server.get({ path: "/channels/presence-room", params: { info: "user_count,subscription_count" } })).json();
    assert.deepEqual(about, { occupied: true, user_count: 2, subscription_count: 2 });
    const all = await (await server.get({ path: "/channels", params: { filter_by_prefix: "presence-", info: "user_count" } })).json();
    assert.deepEqual(all, { channels: { "presence-room": { user_count: 2 } } });
    assert.deepEqual(await (await server.get({ path: "/channels/nowhere" })).json(), { occupied: false });
    proven("presence");

    const whispers = [];
    first.bind("client-typing", (data, more) => whispers.push(["first", data, more]));
    second.bind("client-typing", (data, more) => whispers.push(["second", data, more]));
    assert.equal(first.trigger("client-typing", { on: true }), true);
    await until("a client's event", () => whispers.length === 1);
    assert.deepEqual(whispers[0], ["second", { on: true }, { user_id: "1" }]);
    const error = told("the refusal", (then) => one.connection.bind("error", then));
    one.send_event("client-typing", {}, "orders");
    assert.equal((await error).data.code, 4301);
    one.connection.unbind("error");
    proven("client events");

    const went = event(first, "pusher:member_removed");
    two.unsubscribe("presence-room");
    assert.equal((await went).id, "2");
    assert.equal(first.members.count, 1);
    proven("leaving");
}

{
    two.signin();
    await told("signed in", (then) => two.bind("pusher:signin_success", then));
    const heard = told("a user's own", (then) => two.user.bind("hello", then));
    await server.sendToUser("2", "hello", { you: 2 });
    assert.deepEqual(await heard, { you: 2 });
    const ended = told("the end", (then) => two.connection.bind("error", then));
    await server.terminateUserConnections("2");
    assert.equal((await ended).data.code, 4009);
    two.disconnect();
    proven("users");
}

{
    const channel = one.subscribe("orders");
    const heard = [];
    channel.bind("numbered", ({ n }) => heard.push(n));
    const batch = Array.from({ length: 10 }, (_, n) => ({ channel: "orders", name: "numbered", data: { n } }));
    await server.triggerBatch(batch);
    await until("ten in a batch", () => heard.length === 10);
    assert.deepEqual(heard, batch.map((_, n) => n));
    const answer = await (await server.triggerBatch([{ channel: "presence-room", name: "x", data: "", info: "user_count,subscription_count" }])).json();
    assert.deepEqual(answer, { batch: [{ user_count: 1, subscription_count: 1 }] });
    channel.unbind_all();
    proven("batch");
}

{
    const channel = one.subscribe("private-encrypted-orders");
    await subscribed(channel);
    const heard = event(channel, "shipped");
    await server.trigger("private-encrypted-orders", "shipped", { secret: "ü" });
    assert.deepEqual(await heard, { secret: "ü" });
    proven("encrypted");
}

{
    const missed = one.subscribe("cache-price");
    await told("a miss", (then) => missed.bind("pusher:cache_miss", then));
    await server.trigger("cache-price", "price", { at: 7 });
    const three = client("3");
    await connected(three);
    const late = three.subscribe("cache-price");
    assert.deepEqual(await event(late, "price"), { at: 7 });
    three.disconnect();
    proven("cache");
}

{
    const wrong = client("1", "unknown");
    const error = await told("the refusal", (then) => wrong.connection.bind("error", then));
    assert.equal(error.data?.code ?? error.error?.data?.code, 4001);
    wrong.disconnect();
    await assert.rejects(new Server({ appId, key, secret: "another secret", host: "127.0.0.1", port, useTLS: false }).trigger("orders", "x", {}), { status: 401 });
    await assert.rejects(new Server({ appId: "9", key, secret, host: "127.0.0.1", port, useTLS: false }).trigger("orders", "x", {}), { status: 404 });
    proven("refusals");
}

const echo = (user) => new Echo({ broadcaster: "pusher", key, client: client(user) });
const laravel = echo("10");
const guest = echo("11");
{
    const shipped = told("Echo's public", (then) => laravel.channel("orders").listen("OrderShipped", then));
    await subscribed(laravel.connector.channels.orders.subscription);
    await server.trigger("orders", "App\\Events\\OrderShipped", { order: 1 });
    assert.deepEqual(await shipped, { order: 1 });

    const named = told("Echo's private", (then) => laravel.private("team.42").listen(".renamed", then));
    await subscribed(laravel.connector.channels["private-team.42"].subscription);
    await server.trigger("private-team.42", "renamed", { name: "x" });
    assert.deepEqual(await named, { name: "x" });

    const told_of = told("a notification", (then) => laravel.private("App.Models.User.10").notification(then));
    await subscribed(laravel.connector.channels["private-App.Models.User.10"].subscription);
    await server.trigger("private-App.Models.User.10", "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated", { id: "n", type: "T" });
    assert.equal((await told_of).type, "T");

    const seen = [];
    const room = laravel.join("floor");
    room.here((all) => seen.push(["here", all.map(({ name }) => name)]))
        .joining(({ name }) => seen.push(["joining", name]))
        .leaving(({ name }) => seen.push(["leaving", name]))
        .listenForWhisper("typing", (data) => seen.push(["whisper", data]));
    await until("here", () => seen.length === 1);
    const other = guest.join("floor");
    await until("joining", () => seen.length === 2);
    await subscribed(other.subscription);
    other.whisper("typing", { by: "11" });
    await until("a whisper", () => seen.length === 3);
    guest.leave("floor");
    await until("leaving", () => seen.length === 4);
    assert.deepEqual(seen, [["here", ["User 10"]], ["joining", "User 11"], ["whisper", { by: "11" }], ["leaving", "User 11"]]);
    proven("Laravel Echo");
}

{
    let left = false;
    one.connection.bind("state_change", ({ current }) => {
        left ||= current !== "connected";
    });
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    console.log(JSON.stringify({ awaits: "restart" }));
    await lines.next();
    await until("away", () => left);
    await until("back", () => one.connection.state === "connected");
    await until("the channels again", () => one.channel("private-orders").subscribed && one.channel("presence-room").subscribed);
    const heard = event(one.channel("private-orders"), "again");
    await server.trigger("private-orders", "again", { back: true });
    assert.deepEqual(await heard, { back: true });
    assert.equal(one.channel("presence-room").members.count, 1);
    proven("restart");
}

one.disconnect();
laravel.disconnect();
guest.disconnect();
site.close();
process.exit(0);
