//! What a promise is, and what it is to break one.

/// A promise of the product: a name, and the sentence that holds after every step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Promise {
    pub name: &'static str,
    pub says: &'static str,
}

/// A promise that was broken, and by what.
#[derive(Clone, Debug)]
pub struct Broken {
    pub promise: Promise,
    pub by: String,
}

/// The promise was kept, or this is how it was broken.
pub type Kept = Result<(), Box<Broken>>;

/// Names a promise.
macro_rules! promise {
    ($name:ident: $says:literal) => {
        const $name: $crate::sim::promise::Promise = $crate::sim::promise::Promise {
            name: stringify!($name),
            says: $says,
        };
    };
}

/// Returns from a promise that does not hold, with what breaks it.
macro_rules! keep {
    ($promise:expr, $holds:expr, $($by:tt)+) => {
        if !$holds {
            return Err(Box::new($crate::sim::promise::Broken {
                promise: $promise,
                by: format!($($by)+),
            }));
        }
    };
}

pub(crate) use {keep, promise};
