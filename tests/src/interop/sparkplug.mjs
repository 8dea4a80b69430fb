// A node of Sparkplug B with one device, for tests in another language.
//
//   node sparkplug.mjs PORT FOLDER BIRTH [VALUE [NODE]]      mqtt and protobufjs are installed in FOLDER/node_modules
//
// It is born with the number BIRTH on Plant/NODE, its device Pump with the temperature VALUE, and again whenever it is asked to be. Each
// line that it reads is a temperature, which it tells by alias; with a `!` before it, one message before it is missing; with a `~`, it is
// what the temperature was two minutes ago. Killed, it has its death told by the broker.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { join } from "node:path";

const [port, folder, birth, first = "0", node = "Line"] = process.argv.slice(2);
const required = createRequire(join(folder, "here.cjs"));
const protobuf = required("protobufjs");

// What is used here of the payload that the Sparkplug specification 3.0 defines in its section 6.4.
const { root } = protobuf.parse(`
    syntax = "proto2";
    message Metric {
        optional string name = 1;
        optional uint64 alias = 2;
        optional uint64 timestamp = 3;
        optional uint32 datatype = 4;
        optional bool is_historical = 5;
        optional uint64 long_value = 11;
        optional double double_value = 13;
        optional bool boolean_value = 14;
    }
    message Payload {
        optional uint64 timestamp = 1;
        repeated Metric metrics = 2;
        optional uint64 seq = 3;
    }
`);
const Payload = root.lookupType("Payload");
const UINT64 = 8;
const DOUBLE = 10;
const BOOLEAN = 11;
const TEMPERATURE = 7;
const BEFORE_MS = 120_000;

const encode = payload => Payload.encode(Payload.fromObject({ timestamp: Date.now(), ...payload })).finish();
const bdSeq = () => ({ name: "bdSeq", timestamp: Date.now(), datatype: UINT64, longValue: Number(birth) });

let value = Number(first);
let seq = 0;
// What is said before it was born has no names.
let bear;
const born = new Promise(resolve => (bear = resolve));
const next = () => (seq = (seq + 1) % 256);

const client = required("mqtt").connect({
    host: "127.0.0.1",
    port: Number(port),
    username: "publisher",
    password: "interop",
    reconnectPeriod: 0,
    will: { topic: `spBv1.0/Plant/NDEATH/${node}`, payload: Buffer.from(encode({ metrics: [bdSeq()] })), qos: 1, retain: false },
});

const say = (topic, payload) => client.publish(`spBv1.0/Plant/${topic}`, Buffer.from(encode(payload)));

function beBorn() {
    seq = 0;
    const rebirth = { name: "Node Control/Rebirth", timestamp: Date.now(), datatype: BOOLEAN, booleanValue: false };
    say(`NBIRTH/${node}`, { seq, metrics: [bdSeq(), rebirth] });
    const temperature = { name: "Temperature", alias: TEMPERATURE, timestamp: Date.now(), datatype: DOUBLE, doubleValue: value };
    say(`DBIRTH/${node}/Pump`, { seq: next(), metrics: [temperature] });
    bear();
}

client.on("error", error => {
    console.error(error.message);
    process.exit(1);
});
client.on("close", () => process.exit(1));
client.on("connect", () => client.subscribe(`spBv1.0/Plant/NCMD/${node}`, { qos: 1 }, beBorn));
client.on("message", beBorn);

createInterface({ input: process.stdin }).on("line", async line => {
    await born;
    const temperature = { alias: TEMPERATURE, timestamp: Date.now(), datatype: DOUBLE };
    if (line.startsWith("~")) {
        temperature.timestamp -= BEFORE_MS;
        temperature.isHistorical = true;
        temperature.doubleValue = Number(line.slice(1));
    } else {
        if (line.startsWith("!")) next();
        value = Number(line.replace("!", ""));
        temperature.doubleValue = value;
    }
    say(`DDATA/${node}/Pump`, { seq: next(), metrics: [temperature] });
});
