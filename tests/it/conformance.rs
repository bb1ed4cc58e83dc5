//! Whether the sandbox is AWS: the calls of `tests/python/conformance` against it and against moto.

use crate::support::project::Project;
use crate::support::python::Python;
use crate::support::servers::Server;

#[test]
fn the_sandbox_follows_aws_and_so_does_moto_where_nothing_else_is_said() {
    let kept = Project::empty();
    let sandbox = Server::sandbox(kept.path());
    let moto = Server::moto();
    Python::get().pytest(
        "python/conformance",
        &[("SANDBOX_URL", sandbox.url()), ("MOTO_URL", moto.url())],
    );
}
