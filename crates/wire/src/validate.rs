//! The constraints of the model, checked in AWS's words.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use daypass_model::{Kind, Location, Operation, Pattern, Protocol, Structure, Text, Value};
use regex::Regex;

use crate::Fault;

/// More violations than these are not listed.
const MAX_LISTED: usize = 20;
/// A value is quoted up to this many characters.
const MAX_QUOTED: usize = 512;

/// Where in the input a value stands.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Item(u32),
}

impl<'a> Path<'a> {
    pub(crate) fn root() -> Self {
        Self { parent: None, step: Step::Root }
    }

    pub(crate) fn member(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }

    pub(crate) fn item(&'a self, number: u32) -> Self {
        Self { parent: Some(self), step: Step::Item(number) }
    }

    /// `tags.1.member.key`, as AWS's validation prints it.
    fn print(&self, out: &mut String) {
        if let Some(parent) = self.parent {
            parent.print(out);
        }
        let dot = if out.is_empty() { "" } else { "." };
        match self.step {
            Step::Root => {}
            Step::Member(name) => {
                let mut chars = name.chars();
                let first = chars.next().map(|c| c.to_ascii_lowercase()).unwrap_or_default();
                let _ = write!(out, "{dot}{first}{}", chars.as_str());
            }
            Step::Item(number) => {
                let _ = write!(out, "{dot}{number}.member");
            }
        }
    }

    /// `TagSpecification.1.Tag.1.Key`, as EC2 prints it.
    fn print_ec2(&self, out: &mut String) {
        if let Some(parent) = self.parent {
            parent.print_ec2(out);
        }
        let dot = if out.is_empty() { "" } else { "." };
        let _ = match self.step {
            Step::Root => Ok(()),
            Step::Member(name) => write!(out, "{dot}{name}"),
            Step::Item(number) => write!(out, "{dot}{number}"),
        };
    }

    /// The name of the last member, as it stands in the model.
    fn name(&self) -> String {
        match self.step {
            Step::Member(name) => name.to_owned(),
            Step::Item(_) => self.parent.map(Path::name).unwrap_or_default(),
            Step::Root => String::new(),
        }
    }
}

/// What is wrong with one value.
struct Violation {
    path: String,
    ec2_path: String,
    name: String,
    /// `None` where nothing was given.
    value: Option<String>,
    sensitive: bool,
    /// What the value should have been.
    constraint: String,
    pattern: Option<&'static str>,
    /// It is not of the member's type at all.
    malformed: bool,
    location: Location,
    /// It is the member that is the whole of the body.
    whole_body: bool,
}

/// All that is wrong with an input.
#[derive(Default)]
pub(crate) struct Violations {
    list: Vec<Violation>,
    location: Option<Location>,
    ec2: bool,
}

impl Violations {
    /// Tells where in the message the values that follow were found.
    pub(crate) fn within(&mut self, location: Location) -> &mut Self {
        self.location = Some(location);
        self
    }

    /// A text that is not of its type.
    pub(crate) fn malformed(&mut self, path: &Path<'_>, text: &str, kind: &Kind) {
        let what = match kind {
            Kind::Integer(_) | Kind::Long(_) => "Member must be an integer",
            Kind::Double => "Member must be a number",
            Kind::Boolean => "Member must be a boolean",
            Kind::Timestamp(_) => "Member must be a timestamp",
            Kind::Blob => "Member must be base64 encoded",
            _ => "Member must be a structure",
        };
        self.add(path, Some(text), what.to_owned(), false, None);
        if let Some(last) = self.list.last_mut() {
            last.malformed = true;
        }
    }

    /// A name among the items of a list that is no number.
    pub(crate) fn not_a_list(&mut self, path: &Path<'_>, name: &str) {
        self.add(path, Some(name), "Member must be a list".to_owned(), false, None);
    }

    fn add(
        &mut self,
        path: &Path<'_>,
        value: Option<&str>,
        constraint: String,
        sensitive: bool,
        pattern: Option<&'static str>,
    ) {
        if self.list.len() >= MAX_LISTED {
            return;
        }
        let (mut printed, mut ec2) = (String::new(), String::new());
        path.print(&mut printed);
        path.print_ec2(&mut ec2);
        self.list.push(Violation {
            path: printed,
            ec2_path: ec2,
            name: path.name(),
            value: value.map(|v| v.chars().take(MAX_QUOTED).collect()),
            sensitive,
            constraint,
            pattern,
            malformed: false,
            location: self.location.unwrap_or(Location::Body),
            whole_body: false,
        });
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Nothing, or AWS's answer to what is wrong.
    pub(crate) fn into_result(self, operation: &Operation) -> Result<(), Fault> {
        let Some(first) = self.list.first() else { return Ok(()) };
        Err(match operation.service.protocol {
            Protocol::Query => match first.pattern.and_then(|p| iam_rule(operation, p)) {
                Some(rule) => Fault::coded(
                    "ValidationError",
                    400,
                    format!("The specified value for {} is invalid. It must {rule}", first.path),
                ),
                None => Fault::coded("ValidationError", 400, self.listed()),
            },
            Protocol::Json if first.malformed => {
                Fault::coded("SerializationException", 400, first.constraint.clone())
            }
            Protocol::Json if operation.service.name == "organizations" => first.as_organizations(),
            Protocol::Json | Protocol::RestJson => Fault::coded("ValidationException", 400, self.listed()),
            Protocol::Ec2 => first.as_ec2(),
            Protocol::RestXml => first.as_s3(),
        })
    }

    fn listed(&self) -> String {
        let plural = if self.list.len() == 1 { "" } else { "s" };
        let each: Vec<String> = self.list.iter().map(Violation::sentence).collect();
        format!("{} validation error{plural} detected: {}", self.list.len(), each.join("; "))
    }
}

impl Violation {
    fn sentence(&self) -> String {
        let value = match &self.value {
            _ if self.sensitive => String::new(),
            None => " null".to_owned(),
            Some(value) => format!(" '{value}'"),
        };
        format!("Value{value} at '{}' failed to satisfy constraint: {}", self.path, self.constraint)
    }

    /// Organizations says neither which value it was nor what would do (recorded answers).
    fn as_organizations(&self) -> Fault {
        let (reason, words) = match self.pattern {
            Some(_) => ("INVALID_PATTERN", "You provided a value that does not match the required pattern."),
            None => ("INPUT_REQUIRED", "You specified an invalid value."),
        };
        let fault = Fault::coded("InvalidInputException", 400, words);
        if self.pattern.is_some() || self.value.is_none() { fault.with("Reason", reason) } else { fault }
    }

    fn as_ec2(&self) -> Fault {
        match &self.value {
            None => Fault::coded(
                "MissingParameter",
                400,
                format!("The request must contain the parameter {}", self.ec2_path),
            ),
            Some(value) if !self.sensitive => Fault::coded(
                "InvalidParameterValue",
                400,
                format!("Value ({value}) for parameter {} is invalid. {}", self.ec2_path, self.constraint),
            ),
            Some(_) => Fault::coded(
                "InvalidParameterValue",
                400,
                format!("Value for parameter {} is invalid. {}", self.ec2_path, self.constraint),
            ),
        }
    }

    fn as_s3(&self) -> Fault {
        if let ("LocationConstraint", Some(value)) = (self.name.as_str(), &self.value) {
            let words = "The specified location-constraint is not valid";
            return Fault::coded("InvalidLocationConstraint", 400, words)
                .with("LocationConstraint", value.clone());
        }
        if self.location == Location::Body {
            return if self.value.is_none() && self.whole_body { empty_body() } else { malformed_xml() };
        }
        let Some(value) = &self.value else {
            return Fault::coded("InvalidRequest", 400, format!("Missing required parameter {}", self.name));
        };
        if self.name == "StorageClass" {
            let words = "The storage class you specified is not valid";
            return Fault::coded("InvalidStorageClass", 400, words)
                .with("StorageClassRequested", value.clone());
        }
        Fault::coded("InvalidArgument", 400, s3_words(&self.name, value, self.malformed, &self.constraint))
            .with("ArgumentName", s3_argument(&self.name))
            .with("ArgumentValue", value.clone())
    }
}

/// S3's names of arguments in its errors, where they are not the model's (recorded answers).
fn s3_argument(member: &str) -> String {
    match member {
        "ACL" => "x-amz-acl",
        "EncodingType" => "encoding-type",
        "MaxBuckets" => "max-buckets",
        "MaxKeys" => "max-keys",
        "MaxParts" => "max-parts",
        "MaxUploads" => "max-uploads",
        "MetadataDirective" => "x-amz-metadata-directive",
        "ObjectAttributes" => "x-amz-object-attributes",
        "ObjectOwnership" => "x-amz-object-ownership",
        "PartNumber" => "partNumber",
        "PartNumberMarker" => "part-number-marker",
        "ServerSideEncryption" => "x-amz-server-side-encryption",
        "TaggingDirective" => "x-amz-tagging-directive",
        other => other,
    }
    .to_owned()
}

/// S3's words for an argument that is none (recorded answers, as the tests of versity/versitygw have them).
fn s3_words(member: &str, value: &str, malformed: bool, constraint: &str) -> String {
    match member {
        "ACL" => String::new(),
        "EncodingType" => "Invalid Encoding Method specified in Request".to_owned(),
        "MetadataDirective" => "Unknown metadata directive.".to_owned(),
        "ObjectAttributes" => "Invalid attribute name specified.".to_owned(),
        "ObjectOwnership" => format!("Invalid x-amz-object-ownership header: {value}"),
        "PartNumber" if malformed => {
            "Part number must be an integer between 1 and 10000, inclusive".to_owned()
        }
        "ServerSideEncryption" => "The encryption method specified is not supported".to_owned(),
        "TaggingDirective" => "Unknown tagging directive.".to_owned(),
        "MaxBuckets" => "Argument max-buckets must be an integer between 1 and 10000.".to_owned(),
        "MaxKeys" | "MaxParts" | "MaxUploads" | "PartNumberMarker" if malformed => {
            format!("Provided {} not an integer or within integer range", s3_argument(member))
        }
        _ if malformed => format!("Provided argument {member} is invalid"),
        _ => constraint.to_owned(),
    }
}

/// S3's answer to a request without the document that it needs.
fn empty_body() -> Fault {
    Fault::coded("MissingRequestBodyError", 400, "Request Body is empty")
}

/// S3's answer to every document that it does not take.
pub(crate) fn malformed_xml() -> Fault {
    Fault::coded(
        "MalformedXML",
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// IAM's own words for what its names and paths must be (recorded answers of CreateRole, ListRoles and others).
fn iam_rule(operation: &Operation, pattern: &str) -> Option<&'static str> {
    if operation.service.name != "iam" {
        return None;
    }
    match pattern {
        r"[\w+=,.@-]+" | r"[\w+=,.@-]*" => {
            Some("contain only alphanumeric characters and/or the following: +=,.@_-")
        }
        r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)" => {
            Some("begin and end with / and contain only alphanumeric characters and/or / characters.")
        }
        r"\u002F[\u0021-\u007F]*" => {
            Some("begin with the / character and contain only alphanumeric characters and/or / characters.")
        }
        _ => None,
    }
}

/// Checks an input that was read against its table.
pub(crate) fn input(operation: &Operation, value: &Value, found: &mut Violations) {
    found.ec2 = operation.service.protocol == Protocol::Ec2;
    members(operation.input, value, &Path::root(), found);
}

fn members(shape: &Structure, value: &Value, path: &Path<'_>, found: &mut Violations) {
    let Some(fields) = value.fields() else { return };
    for (index, member) in (0..).zip(shape.members) {
        if matches!(path.step, Step::Root) {
            found.within(if shape.payload == Some(index) { Location::Body } else { member.location });
        }
        let name = if found.ec2 { member.wire_in } else { member.name };
        let path = path.member(name);
        match fields.get(index) {
            Some(value) => check(value, &member.kind, member.sensitive, &path, found),
            None if member.required && !member.streaming => {
                found.add(&path, None, "Member must not be null".to_owned(), false, None);
                if let Some(last) = found.list.last_mut() {
                    last.whole_body = matches!(path.parent.map(|p| p.step), Some(Step::Root))
                        && shape.payload == Some(index);
                }
            }
            None => {}
        }
    }
}

fn check(value: &Value, kind: &Kind, sensitive: bool, path: &Path<'_>, found: &mut Violations) {
    match (value, kind) {
        (Value::Structure(_), Kind::Structure(shape)) => members(shape, value, path, found),
        (Value::List(items), Kind::List(shape)) => {
            length(items.len(), (shape.min, shape.max), "[...]", path, found);
            for (number, item) in (1..).zip(items) {
                check(item, &shape.item, sensitive, &path.item(number), found);
            }
        }
        (Value::Map(entries), Kind::Map(shape)) => {
            length(entries.len(), (shape.min, shape.max), "{...}", path, found);
            for (number, (key, item)) in (1..).zip(entries) {
                let path = path.item(number);
                text(key, shape.key, sensitive, &path, found);
                check(item, &shape.value, sensitive, &path, found);
            }
        }
        (Value::String(s), Kind::String(shape)) => text(s, shape, sensitive, path, found),
        (Value::Integer(i), Kind::Integer(shape) | Kind::Long(shape)) => {
            if *i < shape.min {
                let constraint = format!("Member must have value greater than or equal to {}", shape.min);
                found.add(path, Some(&i.to_string()), constraint, sensitive, None);
            } else if *i > shape.max {
                let constraint = format!("Member must have value less than or equal to {}", shape.max);
                found.add(path, Some(&i.to_string()), constraint, sensitive, None);
            }
        }
        _ => {}
    }
}

fn length(is: usize, (min, max): (u32, u32), shown: &str, path: &Path<'_>, found: &mut Violations) {
    let is = u32::try_from(is).unwrap_or(u32::MAX);
    if is < min {
        let constraint = format!("Member must have length greater than or equal to {min}");
        found.add(path, Some(shown), constraint, false, None);
    } else if is > max {
        let constraint = format!("Member must have length less than or equal to {max}");
        found.add(path, Some(shown), constraint, false, None);
    }
}

fn text(value: &str, shape: &Text, sensitive: bool, path: &Path<'_>, found: &mut Violations) {
    let is = u32::try_from(value.chars().count()).unwrap_or(u32::MAX);
    let mut wrong =
        |constraint: String, pattern| found.add(path, Some(value), constraint, sensitive, pattern);
    if is < shape.min {
        wrong(format!("Member must have length greater than or equal to {}", shape.min), None);
    } else if is > shape.max {
        wrong(format!("Member must have length less than or equal to {}", shape.max), None);
    } else if let Some(pattern) = shape.pattern
        && !matches(pattern, value)
    {
        let constraint = format!("Member must satisfy regular expression pattern: {}", pattern.source);
        wrong(constraint, Some(pattern.source));
    }
    if !shape.values.is_empty() && !shape.values.contains(&value) {
        wrong(format!("Member must satisfy enum value set: [{}]", shape.values.join(", ")), None);
    }
}

/// Whether the text matches the whole pattern. Compiled patterns are kept: there are a few hundred at most. The
/// engine is linear in the text.
fn matches(pattern: &'static Pattern, value: &str) -> bool {
    static COMPILED: OnceLock<RwLock<HashMap<&'static str, Arc<Regex>>>> = OnceLock::new();
    let Some(source) = pattern.regex else { return true };
    let compiled = COMPILED.get_or_init(Default::default);
    if let Some(regex) = compiled.read().unwrap_or_else(PoisonError::into_inner).get(source) {
        return regex.is_match(value);
    }
    // The generator has compiled every pattern that it wrote; should one fail here, nothing passes it.
    let Ok(regex) = Regex::new(source) else { return false };
    let regex = Arc::new(regex);
    compiled.write().unwrap_or_else(PoisonError::into_inner).insert(source, Arc::clone(&regex));
    regex.is_match(value)
}
