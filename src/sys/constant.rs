//! Functions that make a static's value. In models they are not `const`: atomics are made at run time there.

/// Declares a function that is `const`, but not in models.
#[cfg(not(loom))]
macro_rules! constant {
    ($(#[$attribute:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block) => {
        $(#[$attribute])* $visible const fn $name($($argument: $type),*) -> $result $body
    };
}

#[cfg(loom)]
macro_rules! constant {
    ($(#[$attribute:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block) => {
        $(#[$attribute])* $visible fn $name($($argument: $type),*) -> $result $body
    };
}

pub(crate) use constant;
