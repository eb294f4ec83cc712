//! Tests of rights: the matrix typed from the permissions page, rules by example, properties of
//! the decision, roles, acts and tokens.

#[cfg(test)]
mod access {
    mod acts;
    mod asking;
    mod decisions;
    mod legs;
    mod lenses;
    mod matrix;
    mod properties;
    mod roles;
    mod tokens;
    mod world;
}
