//! Where in an object a field stands, found without looking through the others.

/// Places of names. Twice as many as fields, so that few names want the same.
const PLACES: usize = 64;
/// More fields aren't remembered: they are looked through.
const FIELDS_MAX: usize = PLACES / 2;
/// The highest node of a name that is remembered.
const NODE_MAX: usize = u8::MAX as usize;

/// The nodes of an object's names, by a hash of the name. Every widget asks for its own field of every event: a look through all
/// names for each would be a quarter of what folding costs.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// 0 where there is none: the node of the object itself is no name.
    nodes: [u8; PLACES],
}

impl Names {
    /// Remembers names and their nodes; of those with the same name the last. None if there are too many.
    pub(super) fn of<'a>(
        names: impl Iterator<Item = (usize, &'a str)>,
        text_of: impl Fn(usize) -> &'a str,
    ) -> Option<Self> {
        let mut own = Self { nodes: [0; PLACES] };
        for (count, (node, name)) in names.enumerate() {
            if count >= FIELDS_MAX || node > NODE_MAX {
                return None;
            }
            let place = own.place(name, |node| text_of(node) == name);
            own.nodes[place] = u8::try_from(node).ok()?;
        }
        Some(own)
    }

    /// The node of a name, which `is_it` tells from others.
    #[inline]
    pub(super) fn find(&self, name: &str, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let node = usize::from(self.nodes[self.place(name, is_it)]);
        (node > 0).then_some(node)
    }

    /// The place of a name, or the first free one where it could be.
    #[inline]
    fn place(&self, name: &str, is_it: impl Fn(usize) -> bool) -> usize {
        let mut place = hash(name);
        // Half of the places are free.
        while self.nodes[place] != 0 && !is_it(usize::from(self.nodes[place])) {
            place = (place + 1) % PLACES;
        }
        place
    }
}

/// Names of one object seldom have length, first and last letter in common.
#[inline]
fn hash(name: &str) -> usize {
    let bytes = name.as_bytes();
    let letter = |letter: Option<&u8>| letter.copied().map_or(0, usize::from);
    (bytes.len() * 29 + letter(bytes.first()) * 7 + letter(bytes.last()) * 37) % PLACES
}
