//! What a table holds. The types are plain data; all knowledge of protocols lives in `wire`.

/// How a service's messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Form-encoded request with `Action`, XML answer (IAM, STS).
    Query,
    /// As `Query`, with EC2's own list and answer rules.
    Ec2,
    /// JSON request and answer, the operation named by `X-Amz-Target`.
    Json,
    /// REST routes with JSON bodies (Access Analyzer).
    RestJson,
    /// REST routes with XML bodies (S3).
    RestXml,
}

/// One AWS service and every operation of its API.
#[derive(Debug)]
pub struct Service {
    /// The name of its model and of its crate, as `iam`.
    pub name: &'static str,
    /// The service in a credential scope, as `access-analyzer`.
    pub signing_name: &'static str,
    /// The first label of its host names, as `iam` in `iam.amazonaws.com`.
    pub endpoint_prefix: &'static str,
    /// The version of its API, as `2010-05-08`.
    pub api_version: &'static str,
    /// How its messages travel.
    pub protocol: Protocol,
    /// What `X-Amz-Target` starts with, before the dot; empty for the other protocols.
    pub target_prefix: &'static str,
    /// `1.0` or `1.1` for [`Protocol::Json`], else empty.
    pub json_version: &'static str,
    /// The XML namespace of its answers; empty where it has none.
    pub xml_namespace: &'static str,
    /// Whether it is one service for all regions (IAM, Organizations).
    pub global: bool,
    /// Every operation of the API, sorted by name.
    pub operations: &'static [&'static Operation],
    /// Every error its model names.
    pub errors: &'static [&'static ErrorShape],
}

impl Service {
    /// The operation of that exact name.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&'static Operation> {
        let index = self.operations.binary_search_by(|o| o.name.cmp(name)).ok()?;
        self.operations.get(index).copied()
    }
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// The service it belongs to.
    pub service: &'static Service,
    /// Its name in the API, as `CreateRole`.
    pub name: &'static str,
    /// The IAM action that it needs first, as `iam:CreateRole` or `s3:ListBucket`.
    pub action: &'static str,
    /// Its route.
    pub http: Http,
    /// What it takes.
    pub input: &'static Structure,
    /// What it answers.
    pub output: &'static Structure,
    /// The element around a query answer, as `CreateRoleResult`.
    pub result_wrapper: Option<&'static str>,
    /// Whether AWS takes it without a signature (`AssumeRoleWithWebIdentity`).
    pub unsigned: bool,
    /// Whether a request without a checksum of its body is refused (S3).
    pub checksum_required: bool,
    /// The errors that its model names.
    pub errors: &'static [&'static ErrorShape],
}

/// The route of an operation.
#[derive(Debug)]
pub struct Http {
    /// The request's method.
    pub method: &'static str,
    /// The path's template, as `/{Bucket}/{Key+}`.
    pub path: &'static str,
    /// The fixed part of the query, as `list-type=2`; empty if none.
    pub query: &'static str,
    /// The status of a success.
    pub status: u16,
}

/// A structure: a list of members, told apart by their position.
#[derive(Debug)]
pub struct Structure {
    /// Its name in the model.
    pub name: &'static str,
    /// The members, in the model's order.
    pub members: &'static [Member],
    /// The member that is the whole HTTP body, if one is.
    pub payload: Option<u16>,
    /// The XML element that wraps it when it is a body, where the model says.
    pub xml_name: Option<&'static str>,
    /// Whether none of it may be logged.
    pub sensitive: bool,
}

impl Structure {
    /// The position of the member of that name in the model.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<u16> {
        self.members.iter().position(|m| m.name == name).and_then(|i| u16::try_from(i).ok())
    }

    /// The member at a position.
    #[must_use]
    pub fn member(&self, index: u16) -> Option<&'static Member> {
        self.members.get(usize::from(index))
    }
}

/// The structure without members, for operations that take or answer nothing.
pub(crate) static EMPTY: Structure =
    Structure { name: "", members: &[], payload: None, xml_name: None, sensitive: false };

/// One member of a structure.
#[derive(Debug)]
pub struct Member {
    /// Its name in the model, as `RoleName`.
    pub name: &'static str,
    /// Its name in a request.
    pub wire_in: &'static str,
    /// Its name in an answer.
    pub wire_out: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Where in the HTTP message it is.
    pub location: Location,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Whether it may never be logged.
    pub sensitive: bool,
    /// Whether the HTTP body is this member, as a stream.
    pub streaming: bool,
    /// Whether it is an attribute of its XML element rather than a child.
    pub xml_attribute: bool,
}

/// The member that most are: in the body, optional, free to be logged.
pub(crate) const PLAIN: Member = Member {
    name: "",
    wire_in: "",
    wire_out: "",
    kind: Kind::Boolean,
    location: Location::Body,
    required: false,
    sensitive: false,
    streaming: false,
    xml_attribute: false,
};

/// Where in the HTTP message a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// In the body (or the form).
    Body,
    /// In the path.
    Uri,
    /// In the query.
    Query,
    /// In a header.
    Header,
    /// In all headers that start with its name (`x-amz-meta-`).
    Headers,
    /// It is the status of the answer.
    Status,
}

/// What a member, an item or a map's value holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A structure.
    Structure(&'static Structure),
    /// A list.
    List(&'static List),
    /// A map from strings.
    Map(&'static Map),
    /// Text, with its constraints.
    String(&'static Text),
    /// A 32-bit integer, with its bounds.
    Integer(&'static Integer),
    /// A 64-bit integer, with its bounds.
    Long(&'static Integer),
    /// A floating-point number.
    Double,
    /// `true` or `false`.
    Boolean,
    /// A point in time.
    Timestamp(TimestampFormat),
    /// Bytes; base64 in text protocols.
    Blob,
}

/// A list.
#[derive(Debug)]
pub struct List {
    /// What its items hold.
    pub item: Kind,
    /// The name of an item on the wire, where it has one (`member`, `item`, …).
    pub item_name: &'static str,
    /// Whether items stand directly under the parent.
    pub flattened: bool,
    /// The fewest items taken.
    pub min: u32,
    /// The most items taken.
    pub max: u32,
}

/// A map.
#[derive(Debug)]
pub struct Map {
    /// The constraints of its keys.
    pub key: &'static Text,
    /// What its values hold.
    pub value: Kind,
    /// The name of a key on the wire.
    pub key_name: &'static str,
    /// The name of a value on the wire.
    pub value_name: &'static str,
    /// Whether entries stand directly under the parent.
    pub flattened: bool,
    /// The fewest entries taken.
    pub min: u32,
    /// The most entries taken.
    pub max: u32,
}

/// The constraints of a text.
#[derive(Debug)]
pub struct Text {
    /// The fewest characters.
    pub min: u32,
    /// The most characters.
    pub max: u32,
    /// The pattern that the whole of it must match.
    pub pattern: Option<&'static Pattern>,
    /// The values it may have; empty if it is free.
    pub values: &'static [&'static str],
    /// Whether it may never be logged.
    pub sensitive: bool,
}

/// A regular expression, as the model prints it and as the `regex` crate takes it.
#[derive(Debug)]
pub struct Pattern {
    /// As the model prints it (Java's dialect): the form for messages.
    pub source: &'static str,
    /// The same, anchored at both ends, in the dialect of the `regex` crate; `None` where it cannot be translated
    /// (look-around), in which case the operation checks it.
    pub regex: Option<&'static str>,
}

/// The bounds of an integer, both inclusive.
#[derive(Debug)]
pub struct Integer {
    /// The least value.
    pub min: i64,
    /// The greatest value.
    pub max: i64,
}

/// How a point in time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2026-11-22T02:14:00Z`.
    Iso8601,
    /// `Sun, 22 Nov 2026 02:14:00 GMT`.
    Rfc822,
    /// Seconds since 1970, with fractions.
    UnixSeconds,
}

/// An error that an operation can answer.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorShape {
    /// The code on the wire, as `NoSuchEntity`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Whether the caller is at fault (`Type` in query answers).
    pub sender: bool,
}
