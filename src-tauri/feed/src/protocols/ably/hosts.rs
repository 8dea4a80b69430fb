//! The hosts of Ably's own: where one can't be reached, the same service is had at five others, which lie elsewhere and have another
//! domain. Only for hosts of Ably's: for any other server there are none, but what the board names as `redundant-urls`.

/// The hosts that stand in for one: of which domain it is, and of which they are.
const DOMAINS: [(&str, &str); 2] = [
    (".realtime.ably.net", ".fallback.ably-realtime.com"),
    (".realtime.ably-nonprod.net", ".fallback.ably-realtime-nonprod.com"),
];
const LETTERS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Which host is tried, of those that an address has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tries {
    /// Attempts that failed in a row; from the first on again when every host was tried.
    failed: usize,
    /// Decides the order of the others, so that not all walls come to the same one.
    seed: u64,
}

impl Tries {
    /// An attempt failed.
    pub(super) const fn fail(&mut self, seed: u64) {
        if self.failed == 0 {
            self.seed = seed;
        }
        self.failed = (self.failed + 1) % (LETTERS.len() + 1);
    }

    /// One didn't: the next begins at the address itself.
    pub(super) const fn succeed(&mut self) {
        self.failed = 0;
    }

    /// The host to try in place of the address's own, if it is another one's turn.
    pub(super) fn instead_of(self, host: &str) -> Option<String> {
        let letter = self.order()[self.failed.checked_sub(1)?];
        let (name, domain) = DOMAINS.iter().find_map(|(own, others)| Some((host.strip_suffix(own)?, others)))?;
        let is_one_label = !name.is_empty() && !name.contains('.');
        is_one_label.then(|| format!("{name}.{letter}{domain}"))
    }

    fn order(self) -> [&'static str; LETTERS.len()] {
        let mut letters = LETTERS;
        let mut draws = self.seed;
        for at in (1..letters.len()).rev() {
            let count = at as u64 + 1;
            letters.swap(at, usize::try_from(draws % count).unwrap_or_default());
            draws /= count;
        }
        letters
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each of them once, and then the first again, in an order that differs from wall to wall.
    #[test]
    fn every_host_has_its_turn() {
        let mut firsts = BTreeSet::new();
        for seed in 0..200_u64 {
            let mut tries = Tries::default();
            let mut tried = Vec::new();
            assert_eq!(tries.instead_of("main.realtime.ably.net"), None);
            for number in 0..5 {
                // Only the first failure's counts: the order stays while it lasts.
                tries.fail(seed + number * 1000);
                tried.push(tries.instead_of("main.realtime.ably.net").expect("another"));
            }
            tries.fail(seed);
            assert_eq!(tries.instead_of("main.realtime.ably.net"), None);
            assert_eq!(tried.iter().collect::<BTreeSet<_>>().len(), 5, "{tried:?}");
            firsts.insert(tried.swap_remove(0));
        }
        assert_eq!(firsts.len(), 5);
        let mut tries = Tries::default();
        tries.fail(0);
        for (host, is_ably) in [
            ("acme.realtime.ably-nonprod.net", true),
            ("push.example.net", false),
            (".realtime.ably.net", false),
            ("evil.example.realtime.ably.net", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(tries.instead_of(host).is_some(), is_ably, "{host}");
        }
        let other = tries.instead_of("acme.realtime.ably-nonprod.net").expect("another");
        assert!(other.starts_with("acme.") && other.ends_with(".fallback.ably-realtime-nonprod.com"), "{other}");
        tries.succeed();
        assert_eq!(tries.instead_of("main.realtime.ably.net"), None);
    }
}
