//! From batches to rows.

use crate::Res;
use grc_core::{
    Word,
    storage::{
        Batch, Document, Fact, FactKind, FactValue, Facts, IndexValue, Link, Step, StreamKey, StreamRow,
        Task, Touched, sql::column, touched,
    },
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};
use uuid::Uuid;

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// None.
    Null,
    /// A number.
    Integer(i64),
    /// A word or a text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What is done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// It is new.
    Insert,
    /// It is there.
    Update,
    /// It goes.
    Delete,
}

type Columns = Vec<(Cow<'static, str>, Value)>;

/// One write.
#[derive(Debug, Clone)]
pub struct Row {
    /// What is done.
    pub verb: Verb,
    /// In which table, without a prefix.
    pub table: &'static str,
    /// The primary key.
    pub key: Columns,
    /// The other columns.
    pub rest: Columns,
}

/// How an engine's tables differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As `grc-sqlite` names them; maps are of the same shape.
    Sqlite,
    /// As `grc-mysql` names them.
    Mysql,
}

impl Row {
    /// As a statement; the values are those of [`Row::values`], in that order.
    pub fn sql(&self, dialect: Dialect) -> String {
        let table = match (dialect, self.table) {
            (Dialect::Sqlite, table) => table.to_owned(),
            (Dialect::Mysql, "idx") => "grc_index".to_owned(),
            (Dialect::Mysql, table) => format!("grc_{table}"),
        };
        let list = |columns: &Columns, with: &str, between: &str| {
            columns.iter().map(|(name, _)| format!("`{name}`{with}")).collect::<Vec<_>>().join(between)
        };
        let wher = list(&self.key, " = ?", " AND ");
        match self.verb {
            Verb::Insert => {
                let all: Columns = self.rest.iter().chain(&self.key).cloned().collect();
                let holes = vec!["?"; all.len()].join(", ");
                format!("INSERT INTO {table} ({}) VALUES ({holes})", list(&all, "", ", "))
            }
            Verb::Update => format!("UPDATE {table} SET {} WHERE {wher}", list(&self.rest, " = ?", ", ")),
            Verb::Delete => format!("DELETE FROM {table} WHERE {wher}"),
        }
    }

    /// Whether another row is new in the same table, with the same columns, so that one statement can bring both.
    pub(super) fn is_joined_by(&self, next: &Self) -> bool {
        let names =
            |row: &Self| row.rest.iter().chain(&row.key).map(|(name, _)| name.clone()).collect::<Vec<_>>();
        (self.verb, next.verb) == (Verb::Insert, Verb::Insert)
            && self.table == next.table
            && names(self) == names(next)
    }

    /// One statement for rows that are joined; the values are those of each, in turn.
    pub(super) fn all_sql(rows: &[Self], dialect: Dialect) -> String {
        let Some((first, more)) = rows.split_first() else { return String::new() };
        let holes = format!(", ({})", vec!["?"; first.values().count()].join(", "));
        first.sql(dialect) + &holes.repeat(more.len())
    }

    /// The values of its statement.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.rest.iter().chain(&self.key).map(|(_, value)| value)
    }
}

fn text(word: &Word) -> Value {
    Value::Text(word.to_string())
}

fn number(number: u64) -> Value {
    Value::Integer(number.cast_signed())
}

fn columns<const N: usize>(columns: [(&'static str, Value); N]) -> Columns {
    columns.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect()
}

fn keyed<const N: usize>(key: &StreamKey, more: [(&'static str, Value); N]) -> Columns {
    let mut out =
        columns([("authority", text(&key.authority)), ("kind", text(&key.kind)), ("id", id(key.id))]);
    out.extend(columns(more));
    out
}

fn id(id: Uuid) -> Value {
    Value::Bytes(id.as_bytes().to_vec())
}

fn fact(facts: &Facts, fact: Fact) -> Value {
    match facts.get(fact) {
        None => Value::Null,
        Some(FactValue::Word(word)) => text(word),
        Some(FactValue::Integer(number)) => Value::Integer(*number),
    }
}

fn opened(facts: &Facts) -> Value {
    Value::Integer(facts.integer(Fact::Opened).unwrap_or(i64::MIN))
}

/// Plans the writes of batches that follow one another. It remembers what is there.
#[derive(Debug)]
pub struct Plan {
    dialect: Dialect,
    facts: HashMap<StreamKey, Facts>,
    /// The hashes of the primary keys that there are.
    there: HashSet<u64>,
    values: HashMap<(StreamKey, Word), usize>,
    tasks: HashMap<StreamKey, Vec<(Word, Value)>>,
    changes: u64,
}

impl Plan {
    /// For an empty database.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            facts: HashMap::new(),
            there: HashSet::new(),
            values: HashMap::new(),
            tasks: HashMap::new(),
            changes: 0,
        }
    }

    /// The writes of a batch.
    ///
    /// # Errors
    /// If it does something that no scenario does.
    pub fn rows(&mut self, batch: &Batch) -> Res<Vec<Row>> {
        let mut out = Vec::new();
        let mut touched: Vec<Touched> = Vec::new();
        for step in batch.steps() {
            self.step(batch, step, &mut out)?;
            touched.extend(step.touched());
        }
        out.push(self.change(batch, &touched));
        Ok(out)
    }

    fn step(&mut self, batch: &Batch, step: &Step, out: &mut Vec<Row>) -> Res<()> {
        match step {
            Step::PutStream { row, .. } => out.push(self.stream(row)),
            Step::Append { stream, events, .. } => {
                out.extend(events.iter().map(|event| Row {
                    verb: Verb::Insert,
                    table: "event",
                    key: keyed(stream, [("sequence", number(event.sequence))]),
                    rest: columns([
                        ("batch", Value::Bytes(event.batch.as_bytes().to_vec())),
                        ("head", Value::Bytes(event.head.to_vec())),
                        ("body", Value::Bytes(event.body.clone())),
                    ]),
                }));
            }
            Step::PutVault { stream, part, bytes } => {
                let key = keyed(stream, [("part", Value::Integer(i64::from(*part)))]);
                out.push(self.put("vault", key, columns([("bytes", Value::Bytes(bytes.clone()))])));
            }
            Step::PutMeasure { stream, bytes } => {
                let rest = columns([("bytes", Value::Bytes(bytes.clone()))]);
                out.push(self.put("measure", keyed(stream, []), rest));
            }
            Step::PutIndex { stream, field, values } => self.index(stream, field, values, out),
            Step::PutLink(link) => out.extend(self.link(link)),
            Step::Schedule(task) => out.push(self.task(task)),
            Step::Cancel { stream, kinds } => {
                let tasks = self.tasks.entry(stream.clone()).or_default();
                for (_, id) in tasks.extract_if(.., |(kind, _)| kinds.contains(kind)) {
                    let key = columns([("authority", text(batch.authority())), ("id", id)]);
                    out.push(Row { verb: Verb::Delete, table: "task", key, rest: Vec::new() });
                }
            }
            Step::PutReceipt(receipt) => {
                let key = columns([
                    ("authority", text(batch.authority())),
                    ("token", Value::Bytes(receipt.token.to_vec())),
                ]);
                let rest = columns([
                    ("mac", Value::Bytes(receipt.mac.to_vec())),
                    ("key", Value::Bytes(receipt.key.as_bytes().to_vec())),
                    ("kind", text(&receipt.stream.kind)),
                    ("id", id(receipt.stream.id)),
                    ("version", number(receipt.version)),
                    ("expires", Value::Integer(receipt.expires.micros())),
                ]);
                out.push(Row { verb: Verb::Insert, table: "receipt", key, rest });
            }
            // The key of a month, when its first request comes.
            Step::PutDocument { document: Document { kind, name, version, body }, .. } => {
                let mut key = columns([
                    ("authority", text(batch.authority())),
                    ("kind", text(kind)),
                    ("name", text(name)),
                ]);
                let version = columns([("version", number(*version))]);
                if self.dialect == Dialect::Mysql {
                    out.push(self.put("newest", key.clone(), version.clone()));
                }
                key.extend(version);
                out.push(self.put("document", key, columns([("body", Value::Bytes(body.clone()))])));
            }
            Step::Current { .. } => {}
            other => return Err(format!("no scenario does this: {other:?}").into()),
        }
        Ok(())
    }

    /// Whether a row with this key is new.
    fn is_new(&mut self, table: &'static str, key: &Columns) -> bool {
        let mut hasher = DefaultHasher::new();
        (table, key).hash(&mut hasher);
        self.there.insert(hasher.finish())
    }

    fn put(&mut self, table: &'static str, key: Columns, rest: Columns) -> Row {
        let verb = if self.is_new(table, &key) { Verb::Insert } else { Verb::Update };
        Row { verb, table, key, rest }
    }

    fn stream(&mut self, row: &StreamRow) -> Row {
        let mut rest = columns([
            ("version", number(row.version)),
            ("fold", Value::Integer(i64::from(row.fold))),
            ("head", Value::Bytes(row.head.to_vec())),
            ("body", Value::Bytes(row.body.clone())),
        ]);
        let before = self.facts.insert(row.key.clone(), row.facts.clone());
        if before.is_none() {
            rest.extend(columns([("birth", text(&row.birth)), ("opened", opened(&row.facts))]));
        }
        for one in Fact::ALL {
            if before.as_ref().is_none_or(|before| before.get(*one) != row.facts.get(*one)) {
                rest.push((column(*one).into(), fact(&row.facts, *one)));
            }
        }
        let verb = if before.is_none() { Verb::Insert } else { Verb::Update };
        Row { verb, table: "stream", key: keyed(&row.key, []), rest }
    }

    fn index(&mut self, stream: &StreamKey, field: &Word, values: &[IndexValue], out: &mut Vec<Row>) {
        let key = |n: usize| keyed(stream, [("field", text(field)), ("n", number(n as u64))]);
        let before = self.values.insert((stream.clone(), field.clone()), values.len()).unwrap_or(0);
        out.extend((0..before).map(|n| Row {
            verb: Verb::Delete,
            table: "idx",
            key: key(n),
            rest: Vec::new(),
        }));
        out.extend(values.iter().enumerate().map(|(n, value)| {
            let (text, number) = match value {
                IndexValue::Text(text) => (Value::Text(text.clone()), Value::Null),
                IndexValue::Number(number) => (Value::Null, Value::Integer(*number)),
            };
            let rest = columns([("text", text), ("number", number)]);
            Row { verb: Verb::Insert, table: "idx", key: key(n), rest }
        }));
    }

    fn link(&mut self, link: &Link) -> Option<Row> {
        let mut key = columns([
            ("authority", text(&link.stream.authority)),
            ("link", text(&link.key.kind)),
            ("key", Value::Bytes(link.key.key.clone())),
        ]);
        let to = columns([("kind", text(&link.stream.kind)), ("id", id(link.stream.id))]);
        let rest = match self.dialect {
            Dialect::Sqlite => {
                key.extend(to);
                columns([("single", Value::Integer(link.unique.into()))])
            }
            Dialect::Mysql => {
                let apart = [link.stream.kind.as_str().as_bytes(), link.stream.id.as_bytes()].concat();
                let apart = if link.unique { Vec::new() } else { apart };
                key.extend(columns([("apart", Value::Bytes(apart))]));
                to
            }
        };
        self.is_new("link", &key).then_some(Row { verb: Verb::Insert, table: "link", key, rest })
    }

    fn task(&mut self, task: &Task) -> Row {
        let id = Value::Bytes(task.id.as_bytes().to_vec());
        self.tasks.entry(task.stream.clone()).or_default().push((task.kind.clone(), id.clone()));
        Row {
            verb: Verb::Insert,
            table: "task",
            key: columns([("authority", text(&task.stream.authority)), ("id", id)]),
            rest: columns([
                ("queue", Value::Text(task.queue.clone())),
                ("place", number(task.order)),
                ("what", text(&task.kind)),
                ("kind", text(&task.stream.kind)),
                ("stream", self::id(task.stream.id)),
                ("due", Value::Integer(task.due.micros())),
                ("attempts", Value::Integer(i64::from(task.attempts))),
                ("lease", number(task.lease)),
                ("leased_until", Value::Integer(task.leased_until.micros())),
                ("dead", Value::Integer(task.dead.into())),
                ("code", task.code.as_ref().map_or(Value::Null, text)),
                ("body", Value::Bytes(task.body.clone())),
            ]),
        }
    }

    fn change(&mut self, batch: &Batch, touched: &[Touched]) -> Row {
        self.changes += 1;
        let n = self.changes;
        let place = match self.dialect {
            Dialect::Sqlite => columns([("n", number(n))]),
            Dialect::Mysql => columns([("lane", number(n % 64)), ("n", number(n / 64 + 1))]),
        };
        let mut key = columns([("authority", text(batch.authority()))]);
        key.extend(place);
        let mut rest = columns([
            ("batch", Value::Bytes(batch.id().as_bytes().to_vec())),
            ("touched", Value::Bytes(touched::encode(touched))),
        ]);
        if self.dialect == Dialect::Mysql {
            rest.extend(columns([("height", number(n)), ("mark", Value::Bytes(vec![0; 4]))]));
        }
        Row { verb: Verb::Insert, table: "change", key, rest }
    }
}

/// Whether a column of facts holds numbers: what an unset one is to be bound as.
pub(super) fn is_number(name: &str) -> bool {
    Fact::ALL.iter().any(|fact| column(*fact) == name && fact.kind() != FactKind::Word)
}
