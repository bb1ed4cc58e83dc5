//! Tenants: what they run in their own accounts, and what the operations account gives them.

use crate::support::python::Python;

#[test]
fn the_callback_package_records_calls_and_never_breaks_them() {
    Python::langchain().pytest("tenants", &[]);
}
