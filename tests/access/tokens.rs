//! Tokens: what is refused, each with its own reason, and what is never believed.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use switchroom::access::token::{Claims, KeyError, TokenError, TokenKey};
use switchroom::time::{Instant, Span};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: Instant = Instant(1_763_756_000_000);
const SECOND: u64 = NOW.0 / 1_000;

fn key() -> TokenKey {
    TokenKey::new(SECRET, "switchroom", "floor").expect("long enough")
}

fn claims() -> Value {
    json!({
        "iss": "switchroom", "aud": "floor", "sub": "ana", "workspace": "main",
        "nbf": SECOND - 10, "exp": SECOND + 3_600,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("a map").remove(name);
    claims
}

fn signed(claims: &Value) -> String {
    let header = Header::new(Algorithm::HS256);
    encode(&header, claims, &EncodingKey::from_secret(SECRET)).expect("signs")
}

fn check_at(token: &str, now: Instant) -> Result<Claims, TokenError> {
    key().check(token, now, |workspace| workspace == "main")
}

fn check(token: &str) -> Result<Claims, TokenError> {
    check_at(token, NOW)
}

/// A token with this head and these claims, signed by HMAC-SHA256 with the right key.
fn with_head(head: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let message = format!("{}.{}", part(head), part(claims));
    let key = EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
    format!("{message}.{}", signature.expect("signs"))
}

#[test]
fn a_minted_token_says_who_and_where() {
    let token = key()
        .mint("ana", "main", NOW, Span::hours(1))
        .expect("signs");
    let claims = check(&token).expect("valid");
    assert_eq!(claims.subject, "ana");
    assert_eq!(claims.workspace, "main");
    assert_eq!(claims.expires_at, NOW + Span::hours(1));
}

#[test]
fn a_hand_made_token_of_the_right_form_passes() {
    assert!(check(&signed(&claims())).is_ok());
    assert!(check(&with_head(&json!({"alg": "HS256"}), &claims())).is_ok());
    assert!(check(&signed(&with("aud", json!(["other", "floor"])))).is_ok());
    assert!(check(&signed(&without("nbf"))).is_ok());
    assert!(check(&signed(&with("exp", json!(1_763_759_600.5)))).is_ok());
}

#[test]
fn every_other_token_is_refused_with_its_own_reason() {
    let many_roles = with("roles", json!(vec!["admin"; 2_000]));
    let other_key = EncodingKey::from_secret(b"another secret of thirty-two byte");
    let hs384 = encode(
        &Header::new(Algorithm::HS384),
        &claims(),
        &EncodingKey::from_secret(SECRET),
    );
    let good = signed(&claims());
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let (head, _) = message.split_once('.').expect("three parts");
    let swapped = BASE64.encode(with("sub", json!("root")).to_string());
    for (name, token, error) in [
        ("too long", signed(&many_roles), TokenError::TooLong),
        ("empty", String::new(), TokenError::Malformed),
        ("two parts", message.to_owned(), TokenError::Malformed),
        ("four parts", format!("{good}.x"), TokenError::Malformed),
        ("no base64", format!("{good}?"), TokenError::Malformed),
        (
            "no JSON head",
            format!("{}.e30.", BASE64.encode("hello")),
            TokenError::Malformed,
        ),
        (
            "no alg",
            with_head(&json!({"typ": "JWT"}), &claims()),
            TokenError::Malformed,
        ),
        (
            "alg none",
            with_head(&json!({"alg": "none"}), &claims()),
            TokenError::Unsigned,
        ),
        (
            "alg None",
            with_head(&json!({"alg": "None"}), &claims()),
            TokenError::Unsigned,
        ),
        (
            "alg none, no signature",
            format!(
                "{}.{}.",
                BASE64.encode(r#"{"alg":"none"}"#),
                BASE64.encode(claims().to_string())
            ),
            TokenError::Unsigned,
        ),
        ("no signature", format!("{message}."), TokenError::Forged),
        (
            "another algorithm",
            hs384.expect("signs"),
            TokenError::OtherAlgorithm,
        ),
        (
            "alg RS256",
            with_head(&json!({"alg": "RS256"}), &claims()),
            TokenError::OtherAlgorithm,
        ),
        (
            "extensions",
            with_head(&json!({"alg": "HS256", "crit": ["x"]}), &claims()),
            TokenError::OtherAlgorithm,
        ),
        (
            "another key",
            encode(&Header::new(Algorithm::HS256), &claims(), &other_key).expect("signs"),
            TokenError::Forged,
        ),
        (
            "another subject",
            format!("{head}.{swapped}.{signature}"),
            TokenError::Forged,
        ),
        (
            "another issuer",
            signed(&with("iss", json!("elsewhere"))),
            TokenError::OtherIssuer,
        ),
        ("no issuer", signed(&without("iss")), TokenError::Claims),
        (
            "another audience",
            signed(&with("aud", json!("billing"))),
            TokenError::OtherAudience,
        ),
        ("no audience", signed(&without("aud")), TokenError::Claims),
        (
            "audience of none",
            signed(&with("aud", json!([]))),
            TokenError::OtherAudience,
        ),
        (
            "another workspace",
            signed(&with("workspace", json!("b"))),
            TokenError::OtherWorkspace,
        ),
        (
            "no workspace",
            signed(&without("workspace")),
            TokenError::Claims,
        ),
        ("no subject", signed(&without("sub")), TokenError::Claims),
        (
            "empty subject",
            signed(&with("sub", json!(""))),
            TokenError::Claims,
        ),
        ("no end", signed(&without("exp")), TokenError::Claims),
        (
            "an end in words",
            signed(&with("exp", json!("tomorrow"))),
            TokenError::Claims,
        ),
        (
            "an end before time",
            signed(&with("exp", json!(-5))),
            TokenError::Claims,
        ),
        (
            "an end beyond time",
            signed(&with("exp", json!(1e300))),
            TokenError::Claims,
        ),
        (
            "claims that are a list",
            signed(&json!([1])),
            TokenError::Claims,
        ),
        (
            "expired",
            signed(&with("exp", json!(SECOND - 31))),
            TokenError::Expired,
        ),
        (
            "not yet",
            signed(&with("nbf", json!(SECOND + 31))),
            TokenError::NotYet,
        ),
    ] {
        assert_eq!(check(&token), Err(error), "{name}");
        let code = error.code();
        assert_eq!(
            code == "token_expired",
            error == TokenError::Expired,
            "{name}"
        );
        assert!(code == "token_expired" || code == "unauthenticated");
    }
}

#[test]
fn the_times_have_thirty_seconds_of_leeway_and_not_one_more() {
    let token = signed(&claims());
    let end = NOW + Span::hours(1);
    assert!(check_at(&token, Instant(end.0 + 29_999)).is_ok());
    assert_eq!(
        check_at(&token, end + Span::seconds(30)),
        Err(TokenError::Expired)
    );
    let start = Instant((SECOND - 10) * 1_000);
    assert!(check_at(&token, Instant(start.0 - 30_000)).is_ok());
    assert_eq!(
        check_at(&token, Instant(start.0 - 30_001)),
        Err(TokenError::NotYet)
    );
}

#[test]
fn roles_in_a_token_are_not_believed() {
    let token = signed(&with("roles", json!(["admin"])));
    assert_eq!(check(&token), check(&signed(&claims())));
}

#[test]
fn a_short_secret_is_no_key_and_a_key_shows_no_secret() {
    let short = TokenKey::new(&SECRET[1..], "switchroom", "floor");
    assert_eq!(short.expect_err("31 bytes"), KeyError::TooShort(31));
    assert!(!format!("{:?}", key()).contains("0123"));
}
