//! The hub from outside: real sockets, every door, what is refused and with which words.

mod admin;
mod aggregates;
mod authorise;
mod carry;
mod guard;
mod kept;
mod patterns;
mod poll;
mod presence;
mod publish;
mod pusher;
mod rates;
mod reload;
mod restart;
mod revoke;
mod rules;
mod snapshot;
mod speak;
mod sse;
mod support;
mod tls;
mod tokens;
mod websocket;
