//! Which pages may open a socket: browsers say where a page came from, and only they do.

/// The origins that may connect.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Origins {
    /// Pages that this very host served.
    #[default]
    SameHost,
    /// These origins, such as `https://desk.example.org`.
    Listed(Vec<String>),
}

impl Origins {
    /// Whether a page of `origin` may connect to a server that was called `host`. Clients that
    /// are no browsers send no origin and are let in: their token decides.
    #[must_use]
    pub fn admit(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        match self {
            Self::SameHost => match (authority(origin), host) {
                (Some((scheme, page)), Some(host)) => without_default_port(scheme, page)
                    .eq_ignore_ascii_case(without_default_port(scheme, host)),
                (Some(_), None) | (None, _) => false,
            },
            Self::Listed(list) => list
                .iter()
                .any(|listed| listed.trim_end_matches('/').eq_ignore_ascii_case(origin)),
        }
    }
}

/// Scheme and authority of an origin; nothing for `null` and what is no web page.
fn authority(origin: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = origin.split_once("://")?;
    matches!(scheme, "http" | "https").then_some((scheme, rest))
}

/// A host without the port that its scheme stands for.
fn without_default_port<'a>(scheme: &str, host: &'a str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::Origins;

    #[test]
    fn without_a_list_only_pages_of_the_same_host_connect() {
        let origins = Origins::SameHost;
        assert!(origins.admit(None, Some("desk.example:8080")));
        assert!(origins.admit(Some("http://desk.example:8080"), Some("desk.example:8080")));
        assert!(origins.admit(Some("http://Desk.example"), Some("desk.example:80")));
        assert!(origins.admit(Some("https://desk.example"), Some("desk.example:443")));
        assert!(!origins.admit(Some("https://desk.example"), Some("desk.example:80")));
        assert!(!origins.admit(Some("http://evil.example"), Some("desk.example")));
        assert!(!origins.admit(Some("http://desk.example.evil"), Some("desk.example")));
        assert!(!origins.admit(Some("null"), Some("desk.example")));
        assert!(!origins.admit(Some("file://desk.example"), Some("desk.example")));
        assert!(!origins.admit(Some("http://desk.example"), None));
    }

    #[test]
    fn a_list_is_all_there_is() {
        let origins = Origins::Listed(vec!["https://desk.example/".to_owned()]);
        assert!(origins.admit(Some("https://desk.example"), Some("api.example")));
        assert!(!origins.admit(Some("http://desk.example"), Some("api.example")));
        assert!(!origins.admit(Some("https://api.example"), Some("api.example")));
    }
}
