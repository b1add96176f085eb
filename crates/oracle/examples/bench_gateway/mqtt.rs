//! As much of MQTT 3.1.1 as a meter speaks, without the weight of a client that can do
//! more: the meters of a bench shall not take the cores of what is measured.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Packet types.
const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
const SUBACK: u8 = 9;

/// What a client hears.
pub struct Reader(BufReader<OwnedReadHalf>);

/// What a client says.
pub struct Writer {
    to: OwnedWriteHalf,
    next_id: u16,
}

/// Connects as `name` and subscribes to `filter`.
pub async fn connect(port: u16, name: &str, password: &str, filter: &str) -> (Reader, Writer) {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (read, write) = stream.into_split();
    let (mut reader, mut writer) =
        (Reader(BufReader::with_capacity(512, read)), Writer { to: write, next_id: 1 });
    let mut body = Vec::new();
    text(&mut body, "MQTT");
    // Version 3.1.1; user name, password, clean session; no keep-alive.
    body.extend([4, 0xc2, 0, 0]);
    text(&mut body, name);
    text(&mut body, name);
    text(&mut body, password);
    writer.send(0x10, &body).await;
    let (kind, answer) = reader.packet().await.unwrap();
    assert_eq!((kind, answer.get(1)), (CONNACK, Some(&0)), "{name} is let in");
    let mut body = vec![0, 1];
    text(&mut body, filter);
    body.push(0);
    writer.send(0x82, &body).await;
    let (kind, answer) = reader.packet().await.unwrap();
    assert_eq!((kind, answer.get(2)), (SUBACK, Some(&0)), "{name} may hear its acknowledgements");
    (reader, writer)
}

impl Writer {
    /// Publishes with QoS 1.
    pub async fn publish(&mut self, topic: &str, payload: &[u8]) {
        let mut body = Vec::with_capacity(payload.len() + topic.len() + 4);
        text(&mut body, topic);
        body.extend(self.next_id.to_be_bytes());
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        body.extend(payload);
        self.send(0x32, &body).await;
    }

    async fn send(&mut self, head: u8, body: &[u8]) {
        let mut packet = vec![head];
        let mut left = body.len();
        loop {
            let digit = (left % 128) as u8;
            left /= 128;
            packet.push(if left > 0 { digit | 0x80 } else { digit });
            if left == 0 {
                break;
            }
        }
        packet.extend(body);
        self.to.write_all(&packet).await.unwrap();
    }
}

impl Reader {
    /// The payload of the next message; `None` when the connection has ended.
    pub async fn message(&mut self) -> Option<Vec<u8>> {
        loop {
            let (kind, body) = self.packet().await?;
            if kind == PUBLISH {
                // QoS 0: the topic, then the payload.
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                return Some(body[2 + topic..].to_vec());
            }
        }
    }

    async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.0.read_u8().await.ok()?;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let digit = self.0.read_u8().await.ok()?;
            length |= usize::from(digit & 0x7f) << shift;
            shift += 7;
            if digit & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        Some((head >> 4, body))
    }
}

fn text(body: &mut Vec<u8>, text: &str) {
    body.extend((text.len() as u16).to_be_bytes());
    body.extend(text.as_bytes());
}
