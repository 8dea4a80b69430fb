//! Several small tables under one key: `bands = [{ … }, { … }]`.

use serde_json::{Value, json};

use crate::{
    diagnostic::Sink,
    schema::object,
    table::{Node, Shape, TableReader, TableShape, bad_value, wrong_type},
};

/// An array of tables of one shape, as most lists of a board file are.
pub trait Tables: Sync {
    /// What a table is read to.
    type One;
    /// The most tables of it.
    const MOST: usize;
    /// One of them as it is written.
    const EXAMPLE: &'static str;

    /// What a table may hold.
    fn table(&self) -> &'static TableShape;

    /// Says of the schema of a table what its keys alone don't.
    fn besides(&self, _: &mut Value) {}

    /// Reads one; `None` if it was faulty, which has then been reported.
    fn one(&self, reader: &TableReader<'_>, sink: &mut Sink<'_>) -> Option<Self::One>;

    /// Whether all of them go together; reports what doesn't.
    fn agree(&self, _: &mut Vec<Self::One>, _: Node<'_>, _: &mut Sink<'_>) -> bool {
        true
    }
}

impl<T: Tables> Shape for T {
    type Value = Vec<T::One>;

    fn expected(&self) -> String {
        format!("an array of 1 to {} tables such as `{}`", T::MOST, T::EXAMPLE)
    }

    fn words(&self) -> String {
        format!("array of 1 to {} tables, below", T::MOST)
    }

    fn schema(&self) -> Value {
        let mut one = object(self.table());
        self.besides(&mut one);
        json!({"type": "array", "items": one, "minItems": 1, "maxItems": T::MOST})
    }

    fn read(&self, node: Node<'_>, sink: &mut Sink<'_>) -> Option<Vec<T::One>> {
        let Some(items) = node.value.get_ref().as_array() else {
            let help = node.value.get_ref().is_table().then(|| "write square brackets around it".to_owned());
            wrong_type(node, &self.expected(), help, sink);
            return None;
        };
        if !(1..=T::MOST).contains(&items.len()) {
            bad_value(node, &format!("{} entries", items.len()), &self.expected(), None, sink);
            return None;
        }
        let mut values = Vec::new();
        for value in items {
            let reader = TableReader::open(Node { name: node.name, value }, self.table(), sink);
            let value = reader.and_then(|reader| {
                reader.finish(sink);
                self.one(&reader, sink)
            });
            values.push(value);
        }
        let mut values: Vec<T::One> = values.into_iter().collect::<Option<_>>()?;
        self.agree(&mut values, node, sink).then_some(values)
    }
}
