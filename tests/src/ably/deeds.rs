//! What a test has the service do, and what it may look at.

use serde_json::{Value, json};

use super::{
    access::{Rights, error},
    channel::{Channel, Said, What},
    service::{Link, PRESENCE_SUBSCRIBE, SUBSCRIBE, Service, made},
};

impl Service {
    /// What was heard from this one, in order.
    #[must_use]
    pub fn heard(&self, who: &str) -> Vec<Value> {
        self.heard.iter().filter(|heard| heard.who == who).map(|heard| heard.said.clone()).collect()
    }

    /// Whether this one is attached to a channel.
    #[must_use]
    pub fn is_attached(&self, who: &str, name: &str) -> bool {
        self.links.values().any(|link| link.pass.who == who && link.attached.contains_key(name))
    }

    /// Somebody publishes messages, all in one protocol message.
    pub fn publish(&mut self, name: &str, messages: Vec<Said>) {
        let id = format!("publisher:{}", self.number());
        self.append(name, "publisher", &id, What::Messages(messages));
    }

    /// The same, which the service keeps and fails to send to anybody.
    pub fn publish_unsent(&mut self, name: &str, messages: Vec<Said>) {
        let id = format!("publisher:{}", self.number());
        made(&mut self.channels, name).append(id, "publisher", What::Messages(messages));
    }

    /// Somebody enters, or says something else of himself.
    pub fn enter(&mut self, name: &str, client: &str) {
        let connection = format!("connection-of-{client}");
        let id = format!("{connection}:{}:0", self.number());
        self.presence(name, json!({ "action": 2, "id": id, "clientId": client, "connectionId": connection }));
    }

    /// He leaves, by his own word.
    pub fn leave(&mut self, name: &str, client: &str) {
        let connection = format!("connection-of-{client}");
        let id = format!("{connection}:{}:0", self.number());
        self.presence(name, json!({ "action": 3, "id": id, "clientId": client, "connectionId": connection }));
    }

    /// He is gone without a word: the service says that he has left, in its own name.
    pub fn vanish(&mut self, name: &str, client: &str) {
        let connection = format!("connection-of-{client}");
        let id = format!("service-{}", self.number());
        self.presence(name, json!({ "action": 3, "id": id, "clientId": client, "connectionId": connection }));
    }

    /// Tells everybody anew who is there.
    pub fn sync(&mut self, name: &str) {
        for link in self.attached(name) {
            self.sync_to(link, name);
        }
    }

    fn attached(&self, name: &str) -> Vec<u64> {
        self.links.iter().filter(|(_, link)| link.attached.contains_key(name)).map(|(number, _)| *number).collect()
    }

    /// Detaches everybody from a channel.
    pub fn detach(&mut self, name: &str, code: u64) {
        for link in self.attached(name) {
            let Some(to) = self.links.get_mut(&link) else { continue };
            let Some(attachment) = to.attached.remove(name) else { continue };
            let error = error(code, 500, "the channel is moved");
            self.say(link, &json!({ "action": 13, "channel": attachment.asked, "error": error }));
        }
    }

    /// Attaches everybody anew who is attached, at the channel's end: what wasn't sent never will be.
    pub fn attach_anew(&mut self, name: &str) {
        let Some(channel) = self.channels.get(name) else { return };
        let serial = channel.serial(channel.said.len());
        for link in self.attached(name) {
            let asked = self.links[&link].attached[name].asked.clone();
            self.say(link, &json!({ "action": 11, "channel": asked, "channelSerial": serial, "flags": SUBSCRIBE | PRESENCE_SUBSCRIBE }));
        }
    }

    /// Ends every connection, with a word or without.
    pub fn disconnect(&mut self, why: Option<(u64, u64, &str)>) {
        let links: Vec<u64> = self.links.keys().copied().collect();
        for link in links {
            if let Some((code, status, message)) = why {
                self.say(link, &json!({ "action": 6, "error": error(code, status, message) }));
            }
            self.end(link);
        }
    }

    /// Ends every connection for good.
    pub fn fail_everybody(&mut self, code: u64, message: &str) {
        let links: Vec<u64> = self.links.keys().copied().collect();
        for link in links {
            self.fail(link, &error(code, 401, message));
        }
    }

    /// Knows no connection any more: none can be resumed.
    pub fn forget_connections(&mut self) {
        self.connections.clear();
    }

    /// Knows none of a channel's places any more. Its history has everything.
    pub fn forget_places(&mut self, name: &str) {
        if let Some(channel) = self.channels.get_mut(name) {
            channel.forget_places();
        }
    }

    /// Forgets all but the last `count` protocol messages of a channel; its history as well, if `and_history`.
    pub fn forget_messages(&mut self, name: &str, count: usize, and_history: bool) {
        if let Some(channel) = self.channels.get_mut(name) {
            channel.oldest = channel.said.len().saturating_sub(count);
            if and_history {
                channel.kept = channel.oldest;
            }
        }
    }

    /// The tokens of this key have come to their end, and the connections by them with them.
    pub fn expire(&mut self, who: &str) {
        self.access.end(who);
        let is_over = |link: &Link| link.pass.token.as_deref().is_some_and(|token| self.access.has_ended(token));
        let over: Vec<u64> = self.links.iter().filter(|(_, link)| is_over(link)).map(|(number, _)| *number).collect();
        for link in over {
            self.say(link, &json!({ "action": 6, "error": error(40142, 401, "Token expired") }));
            self.end(link);
        }
    }

    /// Asks everybody for another token.
    pub fn ask_token(&self) {
        for link in self.links.keys() {
            self.say(*link, &json!({ "action": 17 }));
        }
    }

    /// What may be done by tokens of this key that are given from now on.
    pub fn grant(&mut self, who: &str, rights: Rights) {
        self.access.grant(who, rights);
    }

    /// A token of this key.
    pub fn token(&mut self, who: &str) -> String {
        self.access.token(who, None).unwrap_or_default()
    }

    /// Sends everybody something that is still to come.
    pub fn say_unknown(&self) {
        for link in self.links.keys() {
            self.say(*link, &json!({ "action": 99, "channel": "ops", "new": { "field": [1] } }));
        }
    }

    /// A channel.
    pub(super) fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.get(name)
    }
}
