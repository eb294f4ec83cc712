//! Tokens of the run's users: minted with the server's key, or read from a file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use crate::clock;

/// Tokens outlive any run.
const VALID_S: i64 = 24 * 3_600;

/// Where tokens come from.
pub enum Tokens {
    /// Minted with a local HS256 key.
    Minted {
        /// The key.
        key: Box<EncodingKey>,
        /// The workspace they name.
        workspace: String,
    },
    /// Given, by user.
    Given(BTreeMap<String, String>),
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    aud: &'static str,
    sub: &'a str,
    workspace: &'a str,
    nbf: i64,
    exp: i64,
}

impl Tokens {
    /// Tokens minted with the key in a file: its text as it stands, but for blanks around it.
    pub fn minted(key: &Path, workspace: &str) -> Result<Self> {
        let secret = std::fs::read_to_string(key)
            .with_context(|| format!("no signing key at {}", key.display()))?;
        Ok(Self::Minted {
            key: Box::new(EncodingKey::from_secret(secret.trim().as_bytes())),
            workspace: workspace.to_owned(),
        })
    }

    /// Tokens from a JSON file `{"user": "token"}`.
    pub fn given(file: &Path) -> Result<Self> {
        let text =
            std::fs::read(file).with_context(|| format!("no tokens at {}", file.display()))?;
        let tokens = serde_json::from_slice(&text);
        Ok(Self::Given(tokens.with_context(|| {
            format!("{} is no JSON object of user and token", file.display())
        })?))
    }

    /// The token of a user.
    pub fn of(&self, user: &str) -> Result<String> {
        match self {
            Self::Minted { key, workspace } => {
                let now = (clock::wall_ms() / 1_000.0) as i64;
                let claims = Claims {
                    iss: "switchroom",
                    aud: "switchroom",
                    sub: user,
                    workspace,
                    nbf: now,
                    exp: now + VALID_S,
                };
                Ok(encode(&Header::new(Algorithm::HS256), &claims, key)?)
            }
            Self::Given(tokens) => match tokens.get(user) {
                Some(token) => Ok(token.clone()),
                None => bail!("the token file has no token of {user}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_token_is_found_by_its_user() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        std::fs::write(&file, r#"{"ana":"t"}"#).unwrap();
        let tokens = Tokens::given(&file).unwrap();
        assert_eq!(tokens.of("ana").unwrap(), "t");
        assert!(tokens.of("bo").is_err());
    }
}
