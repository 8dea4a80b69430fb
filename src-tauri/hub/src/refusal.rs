//! What is refused at the doors is entered into the audit log.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use crate::{
    access::Rights,
    audit::{Note, Who},
    hub::Shared,
    revocation::{Peer, Revocation, Whom},
};

/// What a response says of a refusal, for [`note`].
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) message: Arc<str>,
    /// The door has entered it by itself, and knew more.
    pub(crate) is_noted: bool,
}

/// Enters what is refused, by its status.
pub(crate) async fn note(State(hub): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    // What comes after the path may hold a token.
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status();
    if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return response;
    }
    let refused = response.extensions().get::<Refused>();
    if refused.is_some_and(|refused| refused.is_noted) {
        return response;
    }
    let (code, reason) = match refused {
        Some(refused) => (refused.code, &*refused.message),
        None => ("refused", status.canonical_reason().unwrap_or_default()),
    };
    let who = Who { address: peer.address, ..Who::default() };
    hub.audit.refuse(Note { code, door: Some(&path), who, reason, ..Note::default() }, hub.now().wall);
    response
}

impl Who {
    /// Somebody who came by this.
    pub(crate) fn by(rights: &Rights, peer: &Peer) -> Self {
        Self { address: peer.address, user: rights.user.clone(), token: rights.token.clone(), ..Self::default() }
    }
}

impl Shared {
    /// Enters what was taken back.
    pub(crate) fn note_revocation(&self, revocation: &Revocation, reason: &str, count: Option<u64>) {
        let mut who = Who::default();
        match &revocation.target.whom {
            Whom::Everybody => {}
            Whom::User { app, id } => (who.app, who.user) = (app.clone(), Some(id.clone())),
            Whom::Token(id) => who.token = Some(id.clone()),
            Whom::Connection(id) => who.connection = Some(id.clone()),
        }
        let channel = revocation.target.channel.as_deref();
        let code = if count.is_some() { "revoked" } else { "revocation-failed" };
        self.audit.revoke(Note { code, who, channel, reason, count, ..Note::default() }, self.now().wall);
    }

    /// A client says more than it may, and is listened to more slowly.
    pub(crate) fn note_slowed(&self, seat: u64, is_first: bool) {
        self.metrics.slow();
        if is_first {
            self.note_refusal(seat, "slowed", None, "it says more a second than it may: it is listened to more slowly");
        }
    }

    /// Enters what a reader, of whom all this is known, was refused.
    pub(crate) fn note_refusal(&self, seat: u64, code: &'static str, channel: Option<&str>, reason: &str) {
        let (who, door) = {
            let state = self.state();
            let Some(session) = state.sessions().get(seat) else { return };
            let who = Who {
                address: session.address,
                app: session.app.clone(),
                user: session.user.clone(),
                token: session.token.clone(),
                connection: Some(session.connection.clone()),
            };
            (who, session.door.word())
        };
        self.audit.refuse(Note { code, door: Some(door), who, channel, reason, count: None }, self.now().wall);
    }
}
