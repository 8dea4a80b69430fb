// Ably's own JavaScript client, before a server of a test. What it hears it tells by a line of JSON each.
//
//   node client.mjs FOLDER OPTIONS      ably is installed in FOLDER/node_modules; OPTIONS is an object in JSON:
//     port, auth         where the server is, and the path at which it gives a request for a token
//     channel, asks      the channel's name, and the options that it is had with
//
// It reads what to do from its input, a word a line:
//
//   history       reads all that was before its attachment, newest first
//   members       says who is there
//   publish TEXT  publishes a `tick` of this JSON
//   enter, leave  as a member

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [folder, text] = process.argv.slice(2);
const options = JSON.parse(text);
const required = createRequire(join(folder, "here.cjs"));
const Ably = required("ably");

const say = (on, what) => process.stdout.write(JSON.stringify({ on, ...what }) + "\n");
process.on("uncaughtException", (error) => say("fault", { text: String(error?.stack ?? error) }));
process.on("unhandledRejection", (error) => say("fault", { text: String(error?.stack ?? error) }));

const asks = { ...options.asks };
const client = new Ably.Realtime({
    endpoint: "127.0.0.1",
    port: options.port,
    tls: false,
    useBinaryProtocol: false,
    clientId: "page",
    authUrl: `http://127.0.0.1:${options.port}${options.auth}`,
    // Nobody waits for the half minute that it would rest by itself.
    disconnectedRetryTimeout: 300,
    suspendedRetryTimeout: 300,
    channelRetryTimeout: 300,
    plugins: { vcdiff: required("@ably/vcdiff-decoder") },
    logLevel: 1,
    logHandler: (text) => say("log", { text }),
});

client.connection.on(function ({ current, reason }) {
    say("connection", { state: current, event: this.event, code: reason?.code, id: client.connection.id });
});

const channel = client.channels.get(options.channel, asks);
channel.on(function ({ current, resumed, hasBacklog, reason }) {
    const flags = { resumed: resumed ?? false, hasBacklog: hasBacklog ?? false };
    say("channel", { state: current, event: this.event, ...flags, code: reason?.code });
});
channel.presence
    .subscribe(({ action, clientId, data }) => say("presence", { action, clientId, data }))
    .catch((error) => say("refused", { code: error.code }));
channel
    .subscribe(({ name, data, id, encoding }) => say("message", { name, data, id, encoding }))
    .catch((error) => say("refused", { code: error.code }));

async function history() {
    const items = [];
    let pages = 0;
    for (let page = await channel.history({ untilAttach: true }); page; page = page.hasNext() && (await page.next())) {
        pages += 1;
        items.push(...page.items.map(({ name, data, id }) => ({ name, data, id })));
    }
    say("history", { items, pages });
}

const does = {
    history,
    members: async () => say("members", { names: (await channel.presence.get()).map(({ clientId }) => clientId).sort() }),
    publish: async (text) => channel.publish("tick", JSON.parse(text)),
    enter: async () => channel.presence.enter("here"),
    leave: async () => channel.presence.leave(),
};
createInterface({ input: process.stdin }).on("line", (line) => {
    const [word, ...rest] = line.split(" ");
    does[word](rest.join(" ")).then(
        () => say("done", { what: word }),
        (error) => say("failed", { what: word, code: error.code, text: String(error) }),
    );
});
