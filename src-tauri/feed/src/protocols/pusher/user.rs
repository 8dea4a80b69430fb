//! User sign-in: the site says whose connection it is, and the server then has a channel for that user.
//!
//! There is no setting for it. Who names the channel of a user, `#server-to-user-ID`, wants the wall to sign in; and where the site
//! signs for channels at `…/auth`, it signs users in at `…/user-auth` beside that, by Pusher's convention as by Laravel's.

use url::Url;

use super::{
    channel::Access,
    session::PusherSession,
    subscribe::Question,
    wire::{self, Frame, Refusal, Unsigned, UserSignature},
};
use crate::protocols::Signal;

/// What the name of a user's channel begins with; their id follows.
const OF_USER: &str = "#server-to-user-";
/// The last part of the address at which the site signs for channels, and of the one at which it signs users in.
const CHANNELS_AT: &str = "auth";
const USERS_AT: &str = "user-auth";

/// Where signing in stands on one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SignIn {
    /// Not asked for yet.
    #[default]
    No,
    /// The site was asked whose connection it is.
    Asked,
    /// The server was told.
    Sent,
    /// The server took it.
    Done,
}

/// Whose channel it is by its name, if it is a user's.
pub(super) fn of_channel(name: &str) -> Option<&str> {
    name.strip_prefix(OF_USER)
}

/// Where the site signs users in, by where it signs for channels.
pub(super) fn address(auth: &Url) -> Option<Url> {
    let (before, last) = auth.path().rsplit_once('/')?;
    let mut url = auth.clone();
    url.set_path(&format!("{before}/{USERS_AT}"));
    (last == CHANNELS_AT).then_some(url)
}

impl PusherSession {
    fn of_users(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.channels.len()).filter(|index| self.channels[*index].sort.access == Access::User)
    }

    /// Asks the site whose connection it is, if that is of use and wasn't asked yet.
    pub(super) fn sign_in(&mut self, out: &mut Vec<Signal>) {
        if self.user == SignIn::No && self.of_users().next().is_some() {
            self.user = SignIn::Asked;
            self.ask_user(Question::User, out);
        }
    }

    pub(super) fn ask_user(&mut self, question: Question, out: &mut Vec<Signal>) {
        let (Some(socket), Some(url)) = (self.socket.clone(), self.users_at.clone()) else { return };
        self.next_question += 1;
        self.questions.insert(self.next_question, question);
        out.push(Signal::AskAt { number: self.next_question, url, form: vec![("socket_id", socket)] });
    }

    /// The site has answered. A server lets anybody subscribe to a user's channel, and sends what is for that user to no one
    /// else: whose the connection is must be known here.
    pub(super) fn user_signed(&mut self, signature: Result<UserSignature, Unsigned>, out: &mut Vec<Signal>) {
        let signature = match signature {
            Ok(signature) => signature,
            Err(why) => return self.no_user(&why, out),
        };
        let is_other = |index: &usize| of_channel(&self.names[*index]) != Some(&signature.id);
        if let Some(index) = self.of_users().find(is_other) {
            let message = format!("`{}`: the site signs this wall in as another user", self.names[index]);
            return out.push(Signal::Error { code: "user".to_owned(), message, denied: true });
        }
        self.user = SignIn::Sent;
        out.push(Signal::Reply { message: wire::sign_in(&signature) });
    }

    fn no_user(&self, why: &Unsigned, out: &mut Vec<Signal>) {
        let message = format!("the site signs no user in: {}", why.text());
        out.push(match why {
            Unsigned::Later(fault) => Signal::Unsigned { fault: fault.clone() },
            Unsigned::Denied(_) => Signal::Error { code: "403".to_owned(), message, denied: true },
            Unsigned::Failed(_) => Signal::Error { code: "unsigned".to_owned(), message, denied: false },
        });
    }

    /// The server took it: the user's channel can be subscribed to.
    pub(super) fn signed_in(&mut self, frame: &Frame<'_>, out: &mut Vec<Signal>) {
        if self.user != SignIn::Sent {
            return;
        }
        let is_other = |id: &str| self.of_users().any(|index| of_channel(&self.names[index]) != Some(id));
        if wire::user_id(frame).is_some_and(|id| is_other(&id)) {
            let message = "the server has signed this wall in as another user".to_owned();
            return out.push(Signal::Error { code: "user".to_owned(), message, denied: true });
        }
        self.user = SignIn::Done;
        let users: Vec<usize> = self.of_users().collect();
        self.open.extend(users);
        if !self.resumes {
            self.go_on(out);
        }
    }

    /// Whether a refusal that says of nothing what it is about is the answer to signing in: that it isn't authorised, or by a
    /// Reverb that it knows no such message.
    pub(super) fn refuses_user(&mut self, refusal: &Refusal, is_auth: bool, out: &mut Vec<Signal>) -> bool {
        if self.user != SignIn::Sent || !(is_auth || refusal.code == Some(wire::INVALID_MESSAGE)) {
            return false;
        }
        let message = format!("the server doesn't sign this wall in: {}", refusal.message);
        out.push(Signal::Error { code: refusal.code(), message, denied: is_auth });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (auth, expected) in [
            ("https://a.example/broadcasting/auth", Some("https://a.example/broadcasting/user-auth")),
            ("https://a.example/pusher/auth?x=1", Some("https://a.example/pusher/user-auth?x=1")),
            ("https://a.example/auth", Some("https://a.example/user-auth")),
            ("https://a.example/api/sign", None),
            ("https://a.example/oauth", None),
        ] {
            let found = address(&auth.parse().expect("an address"));
            assert_eq!(found.as_ref().map(Url::as_str), expected, "{auth}");
        }
        assert_eq!(of_channel("#server-to-user-7"), Some("7"));
        assert_eq!(of_channel("server-to-user-7"), None);
    }
}
