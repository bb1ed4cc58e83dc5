//! The loopback server, on real time.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

use super::*;
use crate::sandbox::Server;

#[tokio::test]
async fn the_server_answers_over_a_socket_and_stops_when_it_is_asked_to() {
    let server = Server::bind(organization(), 0).await.unwrap();
    let address = server.address().unwrap();
    assert!(address.ip().is_loopback());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async move {
        let _asked = stopped.await;
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.contains("<Account>111111111111</Account>"),
        "{answer}"
    );
    // The connection is still open: stopping does not wait for it.
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
