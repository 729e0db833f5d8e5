//! Public parameters: their names, where they stand, and how a request names one.

use daypass_core::image::public_images;
use daypass_core::model::Timestamp;
use daypass_core::model::ssm::{Parameter, ParameterType, errors};
use daypass_core::{Check, Cx, Fault};

/// What stands before every public parameter's name.
const PUBLIC: &str = "/aws/service/";
/// Each parameter was set once.
const VERSION: i64 = 1;

/// A public parameter: a name that stands for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Public {
    pub(crate) name: String,
    image_id: String,
    modified: Option<Timestamp>,
}

impl Public {
    /// The parameters of a region, in the order of their names.
    pub(crate) fn all(region: &str) -> Vec<Self> {
        let mut all: Vec<Self> = public_images(region)
            .into_iter()
            .flat_map(|image| {
                let modified = Timestamp::parse_iso8601(image.created).ok();
                let of_image = move |name: String| Self { name, image_id: image.id.clone(), modified };
                image.parameters.clone().into_iter().map(of_image)
            })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// As the API answers it; `selector` is the part of the request's name that chose a version.
    pub(crate) fn describe(&self, region: &str, selector: Option<String>) -> Parameter {
        Parameter {
            name: Some(self.name.clone()),
            type_: Some(ParameterType::String_),
            value: Some(self.image_id.clone()),
            version: Some(VERSION),
            selector,
            source_result: None,
            last_modified_date: self.modified,
            arn: Some(format!("arn:aws:ssm:{region}::parameter{}", self.name)),
            data_type: Some("text".to_owned()),
        }
    }
}

/// A parameter as a request names it: by its name or its ARN, and perhaps one version of it (Systems Manager API
/// Reference, GetParameter: `"Name": "MyParameter:3"`).
pub(crate) struct Asked<'a> {
    name: &'a str,
    selector: Option<&'a str>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(cx: &Cx, text: &'a str) -> Self {
        let of_arn = format!("arn:aws:ssm:{}::parameter", cx.region());
        let text = text.strip_prefix(of_arn.as_str()).unwrap_or(text);
        match text.split_once(':') {
            // Another ARN is no name of ours, whatever it has in it.
            Some(_) if text.starts_with("arn:") => Self { name: text, selector: None },
            Some((name, selector)) => Self { name, selector: Some(selector) },
            None => Self { name: text, selector: None },
        }
    }

    /// May the caller read it? Public parameters belong to no account of ours (Systems Manager User Guide, "Calling AMI
    /// public parameters"; their ARNs have none).
    pub(crate) fn ask(&self, cx: &Cx, action: &'static str) -> Check {
        if self.name.starts_with("arn:") {
            return Check::new(action, self.name);
        }
        Check::new(action, arn(cx, self.name))
    }

    /// The parameter, or the refusal.
    pub(crate) fn find(&self, cx: &Cx) -> Result<Parameter, Fault> {
        // AWS says no more than the code.
        let unknown = || Fault::new(&errors::PARAMETER_NOT_FOUND, "");
        if !self.name.starts_with('/') && !self.name.starts_with("arn:") && self.name.contains('/') {
            return Err(Fault::coded(
                "ValidationException",
                400,
                "Parameter name must be a fully qualified name.",
            ));
        }
        let all = Public::all(cx.region());
        let found = all.into_iter().find(|p| p.name == self.name).ok_or_else(unknown)?;
        if let Some(selector) = self.selector.filter(|s| s.parse() != Ok(VERSION)) {
            let what = if selector.parse::<i64>().is_ok() { "version" } else { "label" };
            let words = format!(
                "Systems Manager could not find {what} {selector} of {}. Verify the {what} and try again.",
                self.name
            );
            return Err(Fault::new(&errors::PARAMETER_VERSION_NOT_FOUND, words));
        }
        Ok(found.describe(cx.region(), self.selector.map(|s| format!(":{s}"))))
    }
}

/// The ARN of a parameter or a path: without an account where AWS keeps it, and with the caller's elsewhere.
pub(crate) fn arn(cx: &Cx, name: &str) -> String {
    let public = name.starts_with(PUBLIC) || name == PUBLIC.trim_end_matches('/');
    let account = if public { String::new() } else { cx.account().to_string() };
    let slash = if name.starts_with('/') { "" } else { "/" };
    format!("arn:aws:ssm:{}:{account}:parameter{slash}{name}", cx.region())
}
