//! Policy templates: policies with parameters in them, and what they are with the parameters filled in (IAM user guide,
//! `temporary-delegation-policy-templates`).
//!
//! A template is read as JSON, and a parameter takes the place of a part of one text in it: whatever its value is, it stays
//! within that text. Which characters AWS takes in a value is not documented; here none that mean something in a policy: no
//! wildcard, no variable, and no `:` where it would move what follows into another part of an ARN.

use std::collections::BTreeSet;

use daypass_model::AccountId;
use daypass_policy::compare::{Access, ComparedPolicies, grants};
use daypass_policy::{Document, DocumentKind, Policy, PolicySource};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::substitution::{Part, fill_statement, parts};

/// Bytes of a template; the policies that are made of it are much shorter.
pub(super) const MAX_TEMPLATE: usize = 16 << 10;
/// Characters of a policy that was made of a template ("The final rendered policy has a maximum size limit of 2048 characters").
pub const MAX_RENDERED: usize = 2048;
/// Texts that one text with lists in it becomes, at most: more do not fit into a policy.
pub(super) const MAX_COMBINATIONS: usize = 256;
/// Characters of a parameter's name (IAM API reference, PolicyParameter).
const NAME: std::ops::RangeInclusive<usize> = 5..=256;
/// The directive that leaves a statement out where a parameter says so.
pub(super) const ENABLED: &str = "@Enabled";
/// The account of the owner, where the partner says whose account it is. AWS's examples use it without saying what gives it a
/// value.
const ACCOUNT: &str = "AccountId";

/// A parameter with what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it stands for: one text, or several.
    pub values: Vec<String>,
    /// Whether it is a list.
    pub is_list: bool,
}

/// Why a template, or what it is filled in with, is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// The template is too long.
    #[error("a policy template has at most {MAX_TEMPLATE} bytes")]
    TooLong,
    /// It is no JSON.
    #[error("the policy template is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, and no policy.
    #[error("the policy template is not a policy: {0}")]
    NotAPolicy(String),
    /// A parameter stands where none may.
    #[error(
        "a parameter stands in `{0}`; parameters stand in `Resource`, `NotResource` and the values of `Condition`"
    )]
    Misplaced(String),
    /// A parameter's name is none.
    #[error("`{0}` is not the name of a parameter: it has 5 to 256 printable characters")]
    BadName(String),
    /// Parameters have no value.
    #[error("missing policy parameters: {0}")]
    Missing(String),
    /// Parameters are not the template's.
    #[error("unknown policy parameters: {0}")]
    Unknown(String),
    /// A parameter is there twice.
    #[error("policy parameter `{0}` is given twice")]
    Twice(String),
    /// A parameter has too few or too many values.
    #[error("policy parameter `{0}` of type string must have exactly one value")]
    NotOne(String),
    /// A list has no values, or too many.
    #[error("policy parameter `{0}` of type stringList must have between 1 and {MAX_COMBINATIONS} values")]
    BadList(String),
    /// A value has a character that it must not have.
    #[error("policy parameter `{name}` has a value with `{what}`, which is not allowed there")]
    BadValue {
        /// Which.
        name: String,
        /// What.
        what: &'static str,
    },
    /// What comes of it is too long.
    #[error("the rendered policy exceeds the maximum size of {MAX_RENDERED} characters")]
    RenderedTooLong,
}

/// A template that was read.
#[derive(Debug)]
pub struct Template {
    document: Map<String, Value>,
    statements: Vec<Map<String, Value>>,
    parameters: BTreeSet<String>,
}

impl Template {
    /// Reads a template, and tries it with every statement in it.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateError::TooLong);
        }
        let value: Value =
            serde_json::from_str(text).map_err(|error| TemplateError::NotJson(error.to_string()))?;
        let no_policy = |why: &str| TemplateError::NotAPolicy(why.to_owned());
        let Value::Object(mut document) = value else { return Err(no_policy("it is not an object")) };
        let statements = match document.remove("Statement") {
            Some(Value::Array(list)) => list,
            Some(one @ Value::Object(_)) => vec![one],
            _ => return Err(no_policy("it has no statements")),
        };
        let statements = statements.into_iter().map(|statement| match statement {
            Value::Object(statement) => Ok(statement),
            _ => Err(no_policy("a statement is not an object")),
        });
        let statements = statements.collect::<Result<Vec<_>, _>>()?;
        let mut template = Self { document, statements, parameters: BTreeSet::new() };
        template.parameters = template.find()?;
        template.try_out()?;
        Ok(template)
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(String::as_str)
    }

    /// The names in it, all of which stand where they may.
    fn find(&self) -> Result<BTreeSet<String>, TemplateError> {
        let mut names = BTreeSet::new();
        for (key, value) in &self.document {
            nowhere(key, value)?;
        }
        for (key, value) in self.statements.iter().flatten() {
            if key.contains("@{") {
                return Err(TemplateError::Misplaced(key.clone()));
            }
            match (key.as_str(), value) {
                (ENABLED, Value::String(name)) => {
                    names.insert(named(name.strip_prefix('!').unwrap_or(name))?.to_owned());
                }
                (ENABLED, _) => return Err(TemplateError::NotAPolicy(format!("`{ENABLED}` is not a text"))),
                ("Resource" | "NotResource", value) => collect(key, value, &mut names)?,
                ("Condition", Value::Object(operators)) => {
                    for (operator, keys) in operators {
                        let Value::Object(keys) = keys else { continue };
                        for (key, value) in keys {
                            if key.contains("@{") || operator.contains("@{") {
                                return Err(TemplateError::Misplaced("Condition".to_owned()));
                            }
                            collect(key, value, &mut names)?;
                        }
                    }
                }
                _ => nowhere(key, value)?,
            }
        }
        Ok(names)
    }

    /// Whether a policy that comes of it may let roles be made.
    ///
    /// # Errors
    /// If no policy comes of it.
    pub fn makes_roles(&self) -> Result<bool, TemplateError> {
        Ok(makes_roles(&self.try_out()?))
    }

    /// The policy with some value for every parameter and with every statement, read as a policy.
    fn try_out(&self) -> Result<String, TemplateError> {
        let values = self.parameters().map(|name| {
            let value = if self.is_whole(name) { "arn:aws:s3:::123456789012" } else { "123456789012" };
            Parameter { name: name.to_owned(), values: vec![value.to_owned()], is_list: false }
        });
        let values: Vec<Parameter> = values.collect();
        let statements = self.statements.iter().map(|statement| fill_statement(statement, &values));
        let text = self.with(statements.collect::<Result<_, _>>()?);
        read(&text)?;
        Ok(text)
    }

    /// Whether a parameter is a whole resource somewhere.
    fn is_whole(&self, name: &str) -> bool {
        let whole = format!("@{{{name}}}");
        let is = |value: &Value| value.as_str() == Some(&whole);
        let resources = |statement: &Map<String, Value>| {
            let own = ["Resource", "NotResource"].map(|key| statement.get(key));
            own.into_iter()
                .flatten()
                .any(|value| is(value) || value.as_array().is_some_and(|l| l.iter().any(is)))
        };
        self.statements.iter().any(resources)
    }

    /// The policy with these parameters, for an owner's account if that is known.
    ///
    /// # Errors
    /// If parameters are missing, too many or wrong, or what comes of them is no policy or too long.
    pub fn render(
        &self,
        parameters: &[Parameter],
        owner: Option<&AccountId>,
    ) -> Result<String, TemplateError> {
        let mut values = parameters.to_vec();
        if let Some(owner) = owner.filter(|_| !values.iter().any(|given| given.name == ACCOUNT)) {
            let account = vec![owner.to_string()];
            if self.parameters.contains(ACCOUNT) {
                values.push(Parameter { name: ACCOUNT.to_owned(), values: account, is_list: false });
            }
        }
        self.check(&values)?;
        let mut statements = vec![];
        for statement in &self.statements {
            if is_enabled(statement, &values) {
                statements.push(fill_statement(statement, &values)?);
            }
        }
        let text = self.with(statements);
        if text.chars().count() > MAX_RENDERED {
            return Err(TemplateError::RenderedTooLong);
        }
        read(&text)?;
        Ok(text)
    }

    fn check(&self, values: &[Parameter]) -> Result<(), TemplateError> {
        let list = |names: Vec<&str>| names.join(", ");
        let given: BTreeSet<&str> = values.iter().map(|given| given.name.as_str()).collect();
        let missing: Vec<&str> = self.parameters().filter(|name| !given.contains(name)).collect();
        if !missing.is_empty() {
            return Err(TemplateError::Missing(list(missing)));
        }
        let unknown: Vec<&str> =
            given.iter().copied().filter(|name| !self.parameters.contains(*name)).collect();
        if !unknown.is_empty() {
            return Err(TemplateError::Unknown(list(unknown)));
        }
        let mut seen = BTreeSet::new();
        for Parameter { name, values, is_list } in values {
            if !seen.insert(name.as_str()) {
                return Err(TemplateError::Twice(name.clone()));
            }
            if !is_list && values.len() != 1 {
                return Err(TemplateError::NotOne(name.clone()));
            }
            if values.is_empty() || values.len() > MAX_COMBINATIONS {
                return Err(TemplateError::BadList(name.clone()));
            }
            for value in values {
                unmeaning(name, value)?;
            }
        }
        Ok(())
    }

    fn with(&self, statements: Vec<Value>) -> String {
        let mut document = self.document.clone();
        document.insert("Statement".to_owned(), Value::Array(statements));
        Value::Object(document).to_string()
    }
}

/// Whether a policy lets roles be made; also where that could not be found out.
#[must_use]
pub fn makes_roles(policy: &str) -> bool {
    let policy =
        Policy::compile(PolicySource::named("policy"), Document::load(DocumentKind::Session, policy));
    let access = Access { actions: &["iam:CreateRole"], resources: &[] };
    !grants(ComparedPolicies::identity([policy]), [access]).is_ok_and(|found| found.surely_none())
}

/// A value that means nothing in a policy but itself.
fn unmeaning(name: &str, value: &str) -> Result<(), TemplateError> {
    let bad = |what| Err(TemplateError::BadValue { name: name.to_owned(), what });
    for what in ["*", "?", "${", "@{"] {
        if value.contains(what) {
            return bad(what);
        }
    }
    // The text around it could make a variable of it: `$` before `{`.
    if value.ends_with('$') || value.ends_with('@') {
        return bad("$ or @ at its end");
    }
    if value.starts_with('{') {
        return bad("{ at its beginning");
    }
    if value.is_empty() { bad("nothing") } else { Ok(()) }
}

fn read(text: &str) -> Result<(), TemplateError> {
    let parsed = Document::parse(DocumentKind::Session, text);
    parsed.map(|_| ()).map_err(|error| TemplateError::NotAPolicy(error.aws_message()))
}

/// "Include the statement when parameter value is `True`", and the other way round with a `!`.
fn is_enabled(statement: &Map<String, Value>, values: &[Parameter]) -> bool {
    let Some(Value::String(name)) = statement.get(ENABLED) else { return true };
    let (name, wanted) = name.strip_prefix('!').map_or((name.as_str(), true), |name| (name, false));
    let given = values.iter().find(|given| given.name == name);
    given.is_some_and(|given| given.values == ["True"]) == wanted
}

fn named(name: &str) -> Result<&str, TemplateError> {
    let printable = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if printable && NAME.contains(&name.len()) { Ok(name) } else { Err(TemplateError::BadName(name.into())) }
}

fn nowhere(key: &str, value: &Value) -> Result<(), TemplateError> {
    let misplaced = key.contains("@{") || value.to_string().contains("@{");
    if misplaced { Err(TemplateError::Misplaced(key.to_owned())) } else { Ok(()) }
}

fn collect(key: &str, value: &Value, names: &mut BTreeSet<String>) -> Result<(), TemplateError> {
    match value {
        Value::String(text) => {
            for part in parts(text) {
                if let Part::Parameter(name) = part {
                    names.insert(named(name)?.to_owned());
                }
            }
            Ok(())
        }
        Value::Array(list) => list.iter().try_for_each(|value| collect(key, value, names)),
        other => nowhere(key, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::@{bucketNames}/@{prefix}/*"},{"@Enabled":"ENABLE_WRITE","Effect":"Allow","Action":"s3:PutObject","Resource":"*"},{"@Enabled":"!ENABLE_WRITE","Effect":"Deny","Action":"s3:DeleteObject","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"@{prefix}"}}}]}"#;

    fn text(name: &str, value: &str) -> Parameter {
        Parameter { name: name.to_owned(), values: vec![value.to_owned()], is_list: false }
    }

    fn list(name: &str, values: &[&str]) -> Parameter {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Parameter { name: name.to_owned(), values, is_list: true }
    }

    fn one(resource: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{resource}"}}]}}"#
        )
    }

    fn rendered(template: &str, parameters: &[Parameter]) -> Result<Value, TemplateError> {
        let text = Template::parse(template)?.render(parameters, None)?;
        Ok(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn lists_become_every_combination_and_statements_come_and_go() {
        let values = |write| {
            [list("bucketNames", &["b-1", "b-2"]), text("prefix", "data"), text("ENABLE_WRITE", write)]
        };
        let policy = rendered(BUCKET, &values("True")).unwrap();
        let statements = policy.get("Statement").and_then(Value::as_array).unwrap();
        let expected = serde_json::json!(["arn:aws:s3:::b-1/data/*", "arn:aws:s3:::b-2/data/*"]);
        assert_eq!(statements[0]["Resource"], expected);
        assert_eq!((statements.len(), &statements[1]["Action"]), (2, &"s3:PutObject".into()));
        assert_eq!(statements[1].get("@Enabled"), None);
        for write in ["False", "true", "1"] {
            let policy = rendered(BUCKET, &values(write)).unwrap();
            assert_eq!(policy["Statement"][1]["Effect"], "Deny", "{write}");
            let value = &policy["Statement"][1]["Condition"]["StringEquals"]["aws:PrincipalTag/team"];
            assert_eq!(value, "data");
        }
    }

    #[test]
    fn a_value_never_leaves_its_text_and_means_nothing_else() {
        let template = one("arn:aws:s3:::@{bucketName}/*");
        for value in [r#"b"],"Action":"*","x":["#, r"b\u0022", "b\\", "a{b"] {
            let policy = rendered(&template, &[text("bucketName", value)]);
            // `:` would make another ARN of it.
            if value.contains(':') {
                assert!(matches!(policy, Err(TemplateError::BadValue { .. })), "{value}");
                continue;
            }
            let policy = policy.unwrap();
            assert_eq!(policy["Statement"][0]["Resource"], format!("arn:aws:s3:::{value}/*"));
            assert_eq!(policy["Statement"][0]["Action"], "s3:GetObject");
        }
        for value in ["*", "b*", "b?", "${aws:username}", "@{other}", "b$", "{b", "b@", ""] {
            let refused = rendered(&template, &[text("bucketName", value)]);
            assert!(matches!(refused, Err(TemplateError::BadValue { .. })), "{value}: {refused:?}");
        }
        let joined = one("arn:aws:s3:::x/$@{bucketName}");
        let refused = rendered(&joined, &[text("bucketName", "{aws:username}")]);
        assert!(matches!(refused, Err(TemplateError::BadValue { .. })), "{refused:?}");
    }

    #[test]
    fn a_value_cannot_move_what_follows_into_another_part_of_an_arn() {
        let role = one("arn:aws:iam::@{AccountId}:role/partner/x");
        let wrong = rendered(&role, &[text("AccountId", "111122223333:role/other")]);
        assert!(matches!(wrong, Err(TemplateError::BadValue { .. })));
        // A whole ARN is its own, and what stands last holds what it likes.
        let whole = one("@{queueArn}");
        rendered(&whole, &[text("queueArn", "arn:aws:sqs:us-east-1:111122223333:q")]).unwrap();
        let last = one("arn:aws:logs:us-east-1:111122223333:log-group:@{groupName}");
        rendered(&last, &[text("groupName", "a:b/c")]).unwrap();
    }

    #[test]
    fn the_owners_account_is_put_in_where_it_is_known() {
        let template = Template::parse(&one("arn:aws:s3:::@{AccountId}/*")).unwrap();
        let owner: AccountId = "111122223333".parse().unwrap();
        assert!(template.render(&[], Some(&owner)).unwrap().contains("arn:aws:s3:::111122223333/*"));
        assert_eq!(template.render(&[], None), Err(TemplateError::Missing("AccountId".to_owned())));
        let given = [text("AccountId", "444455556666")];
        assert!(template.render(&given, Some(&owner)).unwrap().contains("444455556666"));
        // It is nothing to a template that does not ask for it.
        Template::parse(&one("*")).unwrap().render(&[], Some(&owner)).unwrap();
    }

    #[test]
    fn what_is_missing_unknown_or_of_the_wrong_type_is_named() {
        let template = one("arn:aws:s3:::@{bucketName}/@{folder}");
        let (bucket, folder) = (text("bucketName", "b"), text("folder", "f"));
        let two = Parameter { values: vec!["a".into(), "b".into()], ..bucket.clone() };
        for (given, words) in [
            (vec![], "missing policy parameters: bucketName, folder"),
            (vec![bucket.clone(), folder.clone(), text("other", "x")], "unknown policy parameters: other"),
            (
                vec![bucket.clone(), folder.clone(), folder.clone()],
                "policy parameter `folder` is given twice",
            ),
            (
                vec![two, folder.clone()],
                "policy parameter `bucketName` of type string must have exactly one value",
            ),
            (
                vec![list("bucketName", &[]), folder],
                "policy parameter `bucketName` of type stringList must have between 1 and 256 values",
            ),
        ] {
            assert_eq!(rendered(&template, &given).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn what_becomes_too_long_is_refused_before_it_is_made() {
        let template = one("arn:aws:s3:::@{first}/@{second}/@{first}/@{second}");
        let many: Vec<String> = (0..200).map(|number| format!("value-{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let given = [list("first", &many), list("second", &many)];
        assert_eq!(rendered(&template, &given), Err(TemplateError::RenderedTooLong));
        let long = [text("first", &"x".repeat(2000)), text("second", "y")];
        assert_eq!(rendered(&template, &long), Err(TemplateError::RenderedTooLong));
    }

    #[test]
    fn a_template_is_a_policy_with_parameters_in_their_places() {
        for (text, expected) in [
            ("{", "the policy template is not JSON"),
            ("[]", "not a policy: it is not an object"),
            (r#"{"Version":"2012-10-17"}"#, "has no statements"),
            (r#"{"Version":"2012-10-17","Statement":[1]}"#, "a statement is not an object"),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:@{action}","Resource":"*"}}"#,
                "stands in `Action`",
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"@{effect}","Action":"*","Resource":"*"}}"#,
                "stands in `Effect`",
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"@{somekey}":"x"}}}}"#,
                "stands in `Condition`",
            ),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"@{abc}"}}"#,
                "`abc` is not the name of a parameter",
            ),
            (r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*"}}"#, "not a policy: "),
            (
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","@Enabled":true}}"#,
                "`@Enabled` is not a text",
            ),
        ] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert_eq!(Template::parse(&" ".repeat(MAX_TEMPLATE + 1)).unwrap_err(), TemplateError::TooLong);
        let names: Vec<String> = Template::parse(BUCKET).unwrap().parameters().map(str::to_owned).collect();
        assert_eq!(names, ["ENABLE_WRITE", "bucketNames", "prefix"]);
    }
}
