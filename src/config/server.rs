//! `[server]`: where the server listens and keeps its data.

use super::file;
use super::finding::Notes;
use crate::limits;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use toml::Spanned;

/// Settings of the server itself, the same for all its workspaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Address and port of HTTP and WebSocket.
    pub listen: SocketAddr,
    /// A proxy in front of the server speaks TLS.
    pub behind_proxy: bool,
    /// Web origins that may connect; none listed: only pages of the server's own host.
    pub origins: Vec<String>,
    /// Folder of everything the server keeps.
    pub data: PathBuf,
    /// The log is kept in the data folder, and the server goes on where it was; otherwise in
    /// memory, and it starts anew each time.
    pub durable: bool,
    /// Less room than this on the disk of the data folder is short, in bytes: new contacts and
    /// sign-ins are refused.
    pub low_space: u64,
    /// File of the key that signs tokens, in the data folder unless it is an absolute path.
    pub key_file: PathBuf,
    /// Issuer that tokens must name.
    pub issuer: String,
    /// Audience that tokens must name.
    pub audience: String,
}

/// Port of HTTP and WebSocket, unless set otherwise.
pub const PORT: u16 = 7480;

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT),
            behind_proxy: false,
            origins: Vec::new(),
            data: PathBuf::from("./switchroom-data"),
            durable: true,
            low_space: limits::LOW_SPACE,
            key_file: PathBuf::from("signing.key"),
            issuer: "switchroom".into(),
            audience: "switchroom".into(),
        }
    }
}

impl Server {
    /// Where the key that signs tokens is kept.
    #[must_use]
    pub fn key_path(&self) -> PathBuf {
        self.data.join(&self.key_file)
    }

    pub(super) fn check(file: &file::Server, notes: &mut Notes) -> Self {
        let default = Self::default();
        let text = |given: &Option<Spanned<String>>, what: &str, notes: &mut Notes| {
            let given = given.as_ref()?;
            if given.get_ref().trim().is_empty() {
                notes.error(
                    &given.span(),
                    format!("{what} is empty; leave it out for the default"),
                );
            }
            Some(given.get_ref().clone())
        };
        let behind_proxy = file.behind_proxy.unwrap_or(default.behind_proxy);
        Self {
            listen: listen(file.listen.as_ref(), behind_proxy, notes).unwrap_or(default.listen),
            behind_proxy,
            origins: file
                .origins
                .iter()
                .flatten()
                .map(|given| origin(given, notes))
                .collect(),
            data: text(&file.data, "data", notes).map_or(default.data, PathBuf::from),
            durable: file
                .journal
                .map_or(default.durable, |word| word == file::JournalWord::Disk),
            low_space: file.low_space.map_or(default.low_space, |size| size.0),
            key_file: text(&file.key_file, "key_file", notes)
                .map_or(default.key_file, PathBuf::from),
            issuer: text(&file.issuer, "issuer", notes).unwrap_or(default.issuer),
            audience: text(&file.audience, "audience", notes).unwrap_or(default.audience),
        }
    }
}

fn listen(
    given: Option<&Spanned<String>>,
    behind_proxy: bool,
    notes: &mut Notes,
) -> Option<SocketAddr> {
    let given = given?;
    let Ok(address) = given.get_ref().parse::<SocketAddr>() else {
        let wanted = format!(
            "expected an address and a port such as \"127.0.0.1:{PORT}\" or \"[::1]:{PORT}\""
        );
        notes.error(
            &given.span(),
            format!("{wanted}, found \"{}\"", given.get_ref()),
        );
        return None;
    };
    if !address.ip().to_canonical().is_loopback() && !behind_proxy {
        let problem = format!(
            "\"{address}\" can be reached from other machines, and the server does not speak TLS itself: put a \
             proxy that does in front of it and set behind_proxy = true, or listen on 127.0.0.1"
        );
        notes.error(&given.span(), problem);
    }
    Some(address)
}

/// Scheme, host and port, as browsers send them.
fn origin(given: &Spanned<String>, notes: &mut Notes) -> String {
    let host = given
        .get_ref()
        .strip_prefix("https://")
        .or(given.get_ref().strip_prefix("http://"));
    let whole =
        host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', '?', '#', '@', ' ']));
    if !whole {
        let problem = format!(
            "expected an origin such as \"https://desk.example.org\", without a path, found \"{}\"",
            given.get_ref()
        );
        notes.error(&given.span(), problem);
    }
    given.get_ref().clone()
}
