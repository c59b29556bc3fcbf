//! A token server for one test: it answers as the test says, and keeps what it was sent.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use apptsync_credentials::{Application, Cloud};
use serde_json::{Value, json};

/// A form that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) path: String,
    pub(crate) form: HashMap<String, String>,
}

/// What is answered: status, further header lines, body.
pub(crate) type Answer = (u16, &'static str, String);

/// The server. It is gone when the test's process is.
pub(crate) struct Server {
    pub(crate) address: String,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Server {
    /// A server that answers the n-th form, from 0, as `answer` says.
    pub(crate) fn start(answer: impl Fn(usize, &Sent) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (sent.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, kept, answer) = (stream.expect("a connection"), kept.clone(), answer.clone());
                thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        Self { address, sent }
    }

    /// All that was sent.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("the lock").clone()
    }

    /// An application that this server knows.
    pub(crate) fn application(&self) -> Application {
        let cloud = Cloud::custom(&self.address, "https://graph.example.com").expect("a cloud");
        Application::new("contoso.example.com", "client-1", cloud).expect("an application")
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<Sent>>, answer: &dyn Fn(usize, &Sent) -> Answer) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or_default() == 0 {
        return;
    }
    let path = line.split(' ').nth(1).expect("a path").to_owned();
    assert!(line.starts_with("POST "), "{line}");
    let mut length = 0;
    loop {
        let mut header = String::new();
        let _ = reader.read_line(&mut header).expect("a header");
        match header.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().expect("a length"),
            Some(("content-type", value)) => assert_eq!(value, "application/x-www-form-urlencoded"),
            Some(("authorization", _)) => panic!("a header that was not asked for"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let sent = Sent { path, form: form_urlencoded::parse(&body).into_owned().collect() };
    let number = {
        let mut kept = kept.lock().expect("the lock");
        kept.push(sent.clone());
        kept.len() - 1
    };
    let (status, headers, body) = answer(number, &sent);
    let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    let mut stream = reader.into_inner();
    // A client that does not wait for the answer is part of some tests.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// A token as servers give them.
pub(crate) fn token(access_token: &str) -> Answer {
    json_answer(200, &json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": access_token }))
}

/// An answer in JSON.
pub(crate) fn json_answer(status: u16, body: &Value) -> Answer {
    (status, "content-type: application/json\r\n", body.to_string())
}

/// A refusal in Microsoft's form.
pub(crate) fn refusal(error: &str, description: &str) -> Answer {
    json_answer(400, &json!({ "error": error, "error_description": description }))
}
