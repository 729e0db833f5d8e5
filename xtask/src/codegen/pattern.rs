//! Regular expressions: from the models' dialect (Java) to that of the `regex` crate.

/// The pattern, anchored, as the `regex` crate takes it with the same meaning; `None` if it cannot say it.
pub(crate) fn translate(source: &str) -> Option<String> {
    let body = surrogates(source);
    let mut out = String::from(r"\A(?:");
    let mut in_class = false;
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'u' => {
                    let hex: String = chars.by_ref().take(4).collect();
                    // A lone surrogate is no character in UTF-8.
                    char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?;
                    out.push_str(&format!(r"\u{{{hex}}}"));
                }
                // Java's classes are ASCII unless told otherwise.
                'w' => out.push_str(if in_class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
                'd' => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
                's' => out.push_str(if in_class { r" \t\n\x0B\f\r" } else { r"[ \t\n\x0B\f\r]" }),
                'S' => out.push_str(if in_class { r"\S" } else { r"[^ \t\n\x0B\f\r]" }),
                // Python's and Java's escapes of harmless characters are errors in Rust's dialect.
                e @ ('/' | '"' | '\'' | '@' | ':' | '=' | ',' | '_' | '!' | '%' | '<' | '>' | ';') => {
                    out.push(e)
                }
                e => {
                    out.push('\\');
                    out.push(e);
                }
            },
            '[' if in_class => out.push_str(r"\["),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.push('^');
                    chars.next();
                }
                if chars.peek() == Some(&']') {
                    out.push_str(r"\]");
                    chars.next();
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.push_str(&format!(r"\{c}")),
            c => out.push(c),
        }
    }
    out.push_str(r")\z");
    regex::RegexBuilder::new(&out).size_limit(4 << 20).build().ok().map(|_| out)
}

/// Ranges of surrogate pairs, which Java writes for the planes above the first, as the ranges they mean.
fn surrogates(source: &str) -> String {
    source
        .replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\u{10000}-\u{10FFFF}")
        .replace(r"\u10000-\u10FFFF", "\u{10000}-\u{10FFFF}")
        .replace(r"\x{10000}-\x{10FFFF}", "\u{10000}-\u{10FFFF}")
}
