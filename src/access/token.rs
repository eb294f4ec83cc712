//! Tokens of small sites: JWT signed with HS256 and a local key. A token says who somebody is
//! and in which workspace; what he may do the directory alone says. The time comes in as an
//! argument, the algorithm is never taken from the token.

use crate::limits::{TOKEN_BYTES, TOKEN_LEEWAY, TOKEN_SECRET_BYTES};
use crate::time::{Instant, Span};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a token is refused. The text names no part of the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`TOKEN_BYTES`].
    #[error("the token is longer than {TOKEN_BYTES} bytes")]
    TooLong,
    /// Not three parts of base64url with a JSON header.
    #[error("this is not a signed JSON web token")]
    Malformed,
    /// The header says `alg: none`.
    #[error("the token is not signed")]
    Unsigned,
    /// The header names another algorithm, or extensions that must be understood.
    #[error("the token is not signed with HS256")]
    OtherAlgorithm,
    /// Signed with another key, or changed after it was signed.
    #[error("the signature of the token is wrong")]
    Forged,
    /// A claim is missing or has the wrong type.
    #[error("the token lacks a claim, or a claim has the wrong type")]
    Claims,
    /// Made by another issuer.
    #[error("the token is of another issuer")]
    OtherIssuer,
    /// Made for another service.
    #[error("the token is for another audience")]
    OtherAudience,
    /// Made for a workspace that is not served here.
    #[error("the token is for another workspace")]
    OtherWorkspace,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYet,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

impl TokenError {
    /// The error code of the protocol.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::TooLong
            | Self::Malformed
            | Self::Unsigned
            | Self::OtherAlgorithm
            | Self::Forged
            | Self::Claims
            | Self::OtherIssuer
            | Self::OtherAudience
            | Self::OtherWorkspace
            | Self::NotYet => "unauthenticated",
        }
    }
}

/// A key that cannot sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The secret is too short to withstand guessing.
    #[error("a signing key has at least {TOKEN_SECRET_BYTES} bytes; this one has {0}")]
    TooShort(usize),
    /// The library could not sign.
    #[error("the token could not be signed")]
    Signing,
}

/// Who a valid token says somebody is. Roles that a token may carry are not among it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claims {
    /// The user's name in the workspace.
    pub subject: String,
    /// The workspace.
    pub workspace: String,
    /// The token's beginning; it holds [`TOKEN_LEEWAY`] before it.
    pub valid_from: Instant,
    /// The token's end; a session that has no newer one is closed [`TOKEN_LEEWAY`] after it.
    pub expires_at: Instant,
}

impl Claims {
    /// Whether the token's time has come and is not over.
    ///
    /// # Errors
    /// [`TokenError::NotYet`] or [`TokenError::Expired`].
    pub fn hold(&self, now: Instant) -> Result<(), TokenError> {
        if self.valid_from > now + TOKEN_LEEWAY {
            Err(TokenError::NotYet)
        } else if self.expires_at + TOKEN_LEEWAY <= now {
            Err(TokenError::Expired)
        } else {
            Ok(())
        }
    }
}

/// Checks and makes tokens with one local key.
pub struct TokenKey {
    issuer: String,
    audience: String,
    sign: EncodingKey,
    check: DecodingKey,
    validation: Validation,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Written<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    workspace: &'a str,
    nbf: u64,
    exp: u64,
}

#[derive(Deserialize)]
struct Read {
    iss: String,
    aud: Audience,
    sub: String,
    workspace: String,
    #[serde(default)]
    nbf: Option<f64>,
    exp: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The part of a header that decides whether a token is looked at any further.
#[derive(Deserialize)]
struct Head {
    alg: String,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

impl TokenKey {
    /// A key of this secret, for tokens of this issuer and audience.
    ///
    /// # Errors
    /// [`KeyError::TooShort`].
    pub fn new(secret: &[u8], issuer: &str, audience: &str) -> Result<Self, KeyError> {
        if secret.len() < TOKEN_SECRET_BYTES {
            return Err(KeyError::TooShort(secret.len()));
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Ok(Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            sign: EncodingKey::from_secret(secret),
            check: DecodingKey::from_secret(secret),
            validation,
        })
    }

    /// A token for a user of a workspace, valid from `now` for `lasts` (whole seconds).
    ///
    /// # Errors
    /// [`KeyError::Signing`].
    pub fn mint(
        &self,
        subject: &str,
        workspace: &str,
        now: Instant,
        lasts: Span,
    ) -> Result<String, KeyError> {
        let claims = Written {
            iss: &self.issuer,
            aud: &self.audience,
            sub: subject,
            workspace,
            nbf: now.0 / 1_000,
            exp: (now + lasts).0 / 1_000,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.sign).map_err(|_| KeyError::Signing)
    }

    /// Who the token says somebody is. `now` is the time by the clock; `serves` says whether a
    /// workspace of this name is served here. The signature is checked before any claim is.
    ///
    /// # Errors
    /// [`TokenError`], the first thing that is wrong.
    pub fn check(
        &self,
        token: &str,
        now: Instant,
        serves: impl FnOnce(&str) -> bool,
    ) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        check_head(token)?;
        let read = decode::<serde_json::Value>(token, &self.check, &self.validation)
            .map_err(|error| refusal(&error))?;
        let read: Read = serde_json::from_value(read.claims).map_err(|_| TokenError::Claims)?;
        if read.iss != self.issuer {
            return Err(TokenError::OtherIssuer);
        }
        let ours = match &read.aud {
            Audience::One(audience) => *audience == self.audience,
            Audience::Many(audiences) => audiences.contains(&self.audience),
        };
        if !ours {
            return Err(TokenError::OtherAudience);
        }
        if !serves(&read.workspace) {
            return Err(TokenError::OtherWorkspace);
        }
        let claims = Claims {
            subject: read.sub,
            workspace: read.workspace,
            valid_from: read.nbf.map_or(Ok(Instant(0)), instant)?,
            expires_at: instant(read.exp)?,
        };
        claims.hold(now)?;
        if claims.subject.is_empty() {
            return Err(TokenError::Claims);
        }
        Ok(claims)
    }
}

/// What a refusal of the library means. Its head has been read, so what is no JSON is claims.
fn refusal(error: &jsonwebtoken::errors::Error) -> TokenError {
    let kind = error.kind();
    if matches!(kind, ErrorKind::Json(_) | ErrorKind::Utf8(_)) {
        TokenError::Claims
    } else if matches!(kind, ErrorKind::Base64(_) | ErrorKind::InvalidToken) {
        TokenError::Malformed
    } else {
        TokenError::Forged
    }
}

/// A numeric date: seconds since 1970, fractions allowed.
fn instant(seconds: f64) -> Result<Instant, TokenError> {
    // Beyond this, milliseconds are no longer exact in a double.
    const SECONDS_MAX: f64 = 9_007_199_254_740.0;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(TokenError::Claims);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in range"
    )]
    let milliseconds = (seconds * 1_000.0) as u64;
    Ok(Instant(milliseconds))
}

fn check_head(token: &str) -> Result<(), TokenError> {
    let mut parts = token.split('.');
    let (Some(head), Some(_), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let head = BASE64_URL_SAFE_NO_PAD
        .decode(head)
        .map_err(|_| TokenError::Malformed)?;
    let head: Head = serde_json::from_slice(&head).map_err(|_| TokenError::Malformed)?;
    if head.alg.eq_ignore_ascii_case("none") {
        Err(TokenError::Unsigned)
    } else if head.alg != "HS256" || head.crit.is_some() {
        Err(TokenError::OtherAlgorithm)
    } else {
        Ok(())
    }
}
