//! Debian's Mosquitto with the rules that `jirani mqtt acl` writes, for tests.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The rules of `docs/brokers.md`.
pub const ACL: &str = "user gateway\ntopic read v1/+/up\ntopic read v1/+/status\ntopic read v1/+/claim\n\
                       topic read v1/+/want\ntopic write v1/+/ack\ntopic write v1/+/cmd\ntopic write v1/+/fw\n\n\
                       pattern write v1/%u/up\npattern write v1/%u/status\npattern write v1/%u/claim\n\
                       pattern write v1/%u/want\npattern read v1/%u/ack\npattern read v1/%u/cmd\n\
                       pattern read v1/%u/fw\n\nuser bridge\ntopic read devices/#\n\n\
                       user device-shelly\ntopic readwrite devices/shelly/#\n";

/// How clients are known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// By password, in the clear: for tests on one machine.
    Password,
    /// By password, over TLS.
    PasswordOverTls,
    /// By a certificate whose common name is the user.
    Certificate,
}

/// A broker and its files; it ends when dropped.
pub struct Mosquitto {
    child: Child,
    folder: PathBuf,
    pub port: u16,
    /// Where meters connect as `docs/brokers.md` has it: whoever they say they are, their
    /// user name is their client id.
    pub meters: u16,
}

impl Mosquitto {
    /// Starts with these users; `folder` holds `authority.pem`, `broker.pem` and `broker.key`
    /// where TLS is spoken.
    pub fn start(folder: &Path, known: Known, users: &[(String, String)]) -> Self {
        let [port, meters] = free();
        std::fs::write(folder.join("acl"), ACL).unwrap();
        let passwords = folder.join("passwords");
        let mut plain = String::new();
        for (user, password) in users {
            let _ = writeln!(plain, "{user}:{password}");
        }
        std::fs::write(&passwords, plain).unwrap();
        if !users.is_empty() {
            run("mosquitto_passwd", &["-U", passwords.to_str().unwrap()]);
        }
        let place = folder.display();
        let mut settings =
            format!("allow_anonymous false\nacl_file {place}/acl\nmax_inflight_messages 1000\n");
        if known != Known::Certificate {
            let _ = writeln!(settings, "password_file {place}/passwords");
        }
        for port in [port, meters] {
            let _ = writeln!(settings, "listener {port} 127.0.0.1");
            if known != Known::Password {
                let _ = writeln!(
                    settings,
                    "cafile {place}/authority.pem\ncertfile {place}/broker.pem\nkeyfile {place}/broker.key"
                );
            }
            if known == Known::Certificate {
                settings.push_str("require_certificate true\nuse_identity_as_username true\n");
            }
        }
        settings.push_str("use_username_as_clientid true\n");
        std::fs::write(folder.join("mosquitto.conf"), settings).unwrap();
        // Mosquitto gives up root, and reads its files after that.
        run("chmod", &["-R", "a+rX", folder.to_str().unwrap()]);
        let child = spawn(folder, port);
        Self { child, folder: folder.to_owned(), port, meters }
    }

    /// Kills it and starts it again on the same port; nothing of its memory is left.
    pub fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(&self.folder, self.port);
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two ports that nobody listens on.
fn free() -> [u16; 2] {
    let listen = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    [listen(), listen()].map(|bound| bound.local_addr().unwrap().port())
}

fn spawn(folder: &Path, port: u16) -> Child {
    let program = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
    let child = Command::new(program)
        .arg("-c")
        .arg(folder.join("mosquitto.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("Mosquitto is installed: apt-get install -y mosquitto");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    child
}

/// An authority in `folder`, and its certificate for the broker.
pub fn authority(folder: &Path) {
    let path = |name: &str| folder.join(name).display().to_string();
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=authority of a test",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-keyout",
            &path("authority.key"),
            "-out",
            &path("authority.pem"),
        ],
    );
    certificate(folder, "broker", "localhost");
}

/// A certificate of the authority in `folder` for `name`, in `file.pem` and `file.key`.
pub fn certificate(folder: &Path, file: &str, name: &str) {
    let path = |name: &str| folder.join(name).display().to_string();
    let (request, names) = (path(&format!("{file}.csr")), path(&format!("{file}.ext")));
    std::fs::write(&names, "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    run(
        "openssl",
        &[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            &format!("/CN={name}"),
            "-keyout",
            &path(&format!("{file}.key")),
            "-out",
            &request,
        ],
    );
    run(
        "openssl",
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &path("authority.pem"),
            "-CAkey",
            &path("authority.key"),
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            &names,
            "-out",
            &path(&format!("{file}.pem")),
        ],
    );
}

fn run(program: &str, arguments: &[&str]) {
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}
