use crate::support::servers::Server;

#[test]
fn moto_starts() {
    let server = Server::moto();
    assert!(
        server.url().starts_with("http://127.0.0.1:"),
        "{}",
        server.log()
    );
}
