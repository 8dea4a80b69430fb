//! The servers of a cluster: the one that the board names, and those that it names itself (`connect_urls`).
//!
//! The board's own is tried first and between the others, which may be named by addresses that can't be had from here. By TLS each must prove to be of the name that stands in the
//! board: what a server says before TLS anybody may have said.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use super::{PORT, SECURE};
use crate::port::Request;

/// Most servers besides the one in the board.
const OTHERS_MAX: usize = 16;
/// The longest address of one.
const ADDRESS_BYTES_MAX: usize = 255 + 6;

/// Known to all links of a feed.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Host and port of each.
    others: Vec<String>,
    /// How many links were opened.
    opened: usize,
    /// A server spoke on the newest link.
    has_spoken: bool,
    /// Links begin with TLS, before the server speaks.
    begins_secured: bool,
    /// A server has spoken on a link that began so.
    is_proven: bool,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the next link goes.
    pub(super) fn open(&self, own: &Url) -> Request {
        let mut known = self.lock();
        if own.scheme() == SECURE && known.opened > 0 && !known.has_spoken && !known.is_proven {
            // A server that wants TLS first says nothing in clear, and one that speaks first is no TLS.
            known.begins_secured = !known.begins_secured;
        }
        let turn = known.opened;
        known.opened = known.opened.wrapping_add(1);
        known.has_spoken = false;
        let is_others = turn % 2 == 1 && !known.others.is_empty();
        let other = is_others.then(|| known.others.get(turn / 2 % known.others.len())).flatten();
        let mut url = other.and_then(|other| Url::parse(&format!("{}://{other}", own.scheme())).ok());
        let url = url.take().unwrap_or_else(|| {
            let mut url = own.clone();
            if url.port().is_none() {
                let changed = url.set_port(Some(PORT));
                debug_assert!(changed.is_ok(), "the address was checked to have a host");
            }
            url.set_path("");
            url.set_fragment(None);
            url
        });
        // The server speaks first, in clear unless TLS comes first; the token goes with what answers it.
        Request { begins_secured: known.begins_secured, certified: own.host_str().map(Into::into), ..Request::get(url) }
    }

    /// Whether the newest link began with TLS.
    pub(super) fn begins_secured(&self) -> bool {
        self.lock().begins_secured
    }

    /// A server spoke, and named these.
    pub(super) fn heard(&self, own: &Url, named: &[String]) {
        let mut known = self.lock();
        known.has_spoken = true;
        known.is_proven = true;
        let here = format!("{}:{}", own.host_str().unwrap_or_default(), own.port().unwrap_or(PORT));
        let is_sound = |address: &&String| {
            let url = Url::parse(&format!("{SECURE}://{address}"));
            let is_plain = |url: &Url| {
                url.has_host() && url.port().is_some() && url.username().is_empty() && url.path().is_empty()
            };
            address.len() <= ADDRESS_BYTES_MAX && **address != here && url.as_ref().is_ok_and(is_plain)
        };
        let others: Vec<String> = named.iter().filter(is_sound).take(OTHERS_MAX).cloned().collect();
        // One that is about to stop, or alone for now, names none.
        if !others.is_empty() {
            known.others = others;
        }
    }
}
