//! The properties I1 to I9 of the reconciliation.
