//! Who may do what to whom: privileges, roles, scopes, permits and lenses.
