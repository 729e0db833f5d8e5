//! Whether it lists in the order of the keys' bytes, from one page to the next.

use super::{BYTES, Probe, xml};
use crate::upstream::client::Ask;
use crate::{Error, Result};
use http::Method;

/// Two keys in order; in that of directories they are the other way round.
pub(super) const ORDERED: [&str; 2] = ["p-b", "p/b"];

impl Probe<'_> {
    pub(super) async fn listings_in_order(&self) -> Result<bool> {
        for name in ORDERED {
            if !self.put(name, BYTES, &[]).await?.is_yes() {
                return Ok(false);
            }
        }
        let [first, second] = ORDERED.map(|name| self.key(name));
        let after = async |marker: Option<&str>| {
            let ask = Ask::new(Method::GET, None).query("list-type", "2").query("max-keys", "1");
            let mut ask = ask.query("prefix", self.key("p"));
            if let Some(marker) = marker {
                ask = ask.query("start-after", marker);
            }
            let Some(document) = self.document(ask).await? else { return Ok::<_, Error>(None) };
            let key = |list: xml::Element<'_, '_>| list.child("Contents")?.text("Key").map(str::to_owned);
            Ok(xml::read(&document, "ListBucketResult", key).ok())
        };
        // What was put before begins with `p` too, and is behind both.
        Ok(after(None).await?.as_ref() == Some(&first)
            && after(Some(&first)).await?.as_ref() == Some(&second))
    }
}
