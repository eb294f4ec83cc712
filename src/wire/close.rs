//! Close codes: why the server closes a socket, and what the client should do then.

/// What a client does after a close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// Connect again, with back-off, and resume with `hello.resume`.
    Resume,
    /// Connect again, with back-off, and say a fresh `hello` without `resume`.
    Fresh,
    /// Stay away until a person does something.
    Stop,
}

impl Then {
    /// What this asks of a client, in words.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Resume => "reconnect with back-off and resume",
            Self::Fresh => "reconnect with back-off and a fresh hello",
            Self::Stop => "stop; a person has to act",
        }
    }

    /// Whether connecting again makes sense (`goaway.reconnect`).
    #[must_use]
    pub const fn reconnect(self) -> bool {
        match self {
            Self::Resume | Self::Fresh => true,
            Self::Stop => false,
        }
    }
}

macro_rules! close_codes {
    ($( $(#[$doc:meta])* $variant:ident = $code:literal $then:ident $meaning:literal, )+) => {
        /// A close code of the protocol. The number says what to do: 40xx resume, 41xx a fresh
        /// `hello`, 42xx stop; the standard ones of RFC 6455 resume.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum CloseCode {
            $( $(#[$doc])* $variant, )+
        }

        impl CloseCode {
            /// Every close code, in the order of the number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The number in the close frame.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $( Self::$variant => $code, )+ }
            }

            /// What happened, in a few words; the reason text of the close frame.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $( Self::$variant => $meaning, )+ }
            }

            /// What the client should do.
            #[must_use]
            pub const fn then(self) -> Then {
                match self { $( Self::$variant => Then::$then, )+ }
            }
        }
    };
}

close_codes! {
    /// The server stops.
    GoingAway = 1001 Resume "going away",
    /// The server restarts.
    Restart = 1012 Resume "service restart",
    /// The server has no room now.
    TryLater = 1013 Resume "try again later",
    /// None of the other reasons.
    Unknown = 4000 Resume "unknown",
    /// No frame came for 20 s.
    PingTimeout = 4001 Resume "ping timeout",
    /// The token ran out and was not refreshed.
    TokenExpired = 4003 Resume "token expired",
    /// The reader owes more than its budget.
    SlowConsumer = 4008 Resume "slow consumer",
    /// Messages kept coming over the limit.
    RateLimited = 4009 Resume "rate limited",
    /// The workspace lives on another node now.
    Rebalanced = 4010 Resume "rebalanced",
    /// No `hello` came within 5 s.
    HelloTimeout = 4101 Fresh "hello timeout",
    /// A frame could not be read at all.
    BadFrame = 4102 Fresh "bad frame",
    /// A frame was over the limit.
    TooLarge = 4103 Fresh "frame too large",
    /// The token is missing, forged or of another workspace.
    Unauthenticated = 4200 Stop "unauthenticated",
    /// The user may not open a session.
    Forbidden = 4201 Stop "forbidden",
    /// A newer session of the same agent took over.
    Superseded = 4202 Stop "superseded",
    /// A supervisor signed the user out.
    SignedOut = 4203 Stop "signed out",
    /// None of the offered protocol versions is spoken here.
    UnsupportedVersion = 4204 Stop "unsupported version",
    /// The user has as many sessions as allowed.
    TooManySessions = 4205 Stop "too many sessions",
    /// The page's origin is not on the list.
    OriginRefused = 4206 Stop "origin refused",
}

#[cfg(test)]
mod tests {
    use super::{CloseCode, Then};

    #[test]
    fn the_number_says_what_to_do() {
        for code in CloseCode::ALL {
            let then = match code.code() {
                1000..=1015 | 4000..=4099 => Then::Resume,
                4100..=4199 => Then::Fresh,
                4200..=4299 => Then::Stop,
                other => panic!("{other} is outside the ranges"),
            };
            assert_eq!(code.then(), then, "{code:?}");
        }
    }

    #[test]
    fn numbers_are_unique_and_in_order() {
        let numbers: Vec<u16> = CloseCode::ALL.iter().map(|code| code.code()).collect();
        assert!(
            numbers.windows(2).all(|pair| pair[0] < pair[1]),
            "{numbers:?}"
        );
    }
}
