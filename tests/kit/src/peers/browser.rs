//! A real browser without a window, driven over its DevTools pipe.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

/// How long a page may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the page is asked whether it is as far as wanted.
const POLL: Duration = Duration::from_millis(50);

/// A browser with one page. It is killed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    _child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    last_id: u64,
    session: Option<String>,
    /// Its unsolicited events, oldest first.
    events: VecDeque<Value>,
    complaints: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts `program` (from [`require!`](crate::require)). It connects to loopback alone.
    ///
    /// # Errors
    /// When it does not start, or does not open a page.
    pub async fn start(program: &Path) -> io::Result<Self> {
        let profile = tempfile::tempdir()?;
        // It reads commands from descriptor 3 and answers on 4.
        let mut child = Command::new("sh")
            .arg("-c")
            .arg("exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>browser.log 2>&1")
            .arg(program)
            // Its sandbox asks for more than a container has. It opens nothing but our own pages.
            .args(["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--disable-background-networking", "--no-first-run"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg("--window-size=1000,1200")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("--remote-debugging-pipe")
            .current_dir(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let missing = || io::Error::other("no pipe");
        let mut browser = Browser {
            _child: child,
            to: to.ok_or_else(missing)?,
            from: BufReader::new(from.ok_or_else(missing)?),
            last_id: 0,
            session: None,
            events: VecDeque::new(),
            complaints: Vec::new(),
            _profile: profile,
        };
        let target = json!({ "url": "about:blank" });
        let target = browser.call("Target.createTarget", target).await?;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach).await?;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({})).await?;
        }
        Ok(browser)
    }

    /// Opens a page, and waits until it is loaded.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn open(&mut self, url: &str) -> io::Result<()> {
        self.events.clear();
        let opened = self.call("Page.navigate", json!({ "url": url })).await?;
        if let Some(error) = opened["errorText"].as_str() {
            return Err(io::Error::other(format!("{url}: {error}")));
        }
        self.loaded().await
    }

    /// Clicks on what leads to another page, and waits until that is loaded.
    ///
    /// # Errors
    /// When there is no such element, or no page follows.
    pub async fn follow(&mut self, selector: &str) -> io::Result<()> {
        self.events.clear();
        let click = format!("document.querySelector({}).click()", json!(selector));
        self.evaluate(&click).await?;
        self.loaded().await
    }

    /// Puts a value into a field, as entering it would.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn enter(&mut self, selector: &str, value: &str) -> io::Result<()> {
        let enter = format!(
            "(() => {{ const field = document.querySelector({}); if (field.type === 'checkbox') field.checked = {}; else field.value = {}; }})()",
            json!(selector),
            value == "true",
            json!(value)
        );
        self.evaluate(&enter).await.map(drop)
    }

    /// The visible text of an element; `None` for a missing or hidden one.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn text(&mut self, selector: &str) -> io::Result<Option<String>> {
        let text = format!(
            "(() => {{ const place = document.querySelector({}); return place && !place.hidden ? place.innerText ?? place.textContent : null; }})()",
            json!(selector)
        );
        let text = self.evaluate(&text).await?;
        Ok(text.as_str().map(str::to_owned))
    }

    /// Waits until the text of an element is as wanted, and returns it.
    ///
    /// # Errors
    /// When it does not become so.
    pub async fn until(
        &mut self,
        selector: &str,
        wanted: impl Fn(Option<&str>) -> bool,
    ) -> io::Result<Option<String>> {
        let end = Instant::now() + PATIENCE;
        loop {
            let text = self.text(selector).await?;
            if wanted(text.as_deref()) {
                return Ok(text);
            }
            if Instant::now() > end {
                let page = self.text("body").await?.unwrap_or_default();
                let what = format!("{selector} stays {text:?} on the page\n{page}");
                return Err(io::Error::other(what));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The value of a script in the page.
    ///
    /// # Errors
    /// When it throws.
    pub async fn evaluate(&mut self, script: &str) -> io::Result<Value> {
        let ask = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", ask).await?;
        if answer.get("exceptionDetails").is_some() {
            return Err(io::Error::other(format!("{script}: {answer}")));
        }
        Ok(answer["result"]["value"].clone())
    }

    /// Keeps a picture of the whole page.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn picture(&mut self, file: &Path) -> io::Result<()> {
        let ask = json!({ "format": "png", "captureBeyondViewport": true });
        let answer = self.call("Page.captureScreenshot", ask).await?;
        let data = answer["data"].as_str().unwrap_or_default();
        let png = base64::engine::general_purpose::STANDARD.decode(data);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, png.map_err(io::Error::other)?)
    }

    /// The browser's reports so far: violated policies, failed scripts, missing files.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    async fn loaded(&mut self) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.events.pop_front() {
                if event["method"] == "Page.loadEventFired" {
                    return Ok(());
                }
            }
            let message = self.read(end).await?;
            self.note(message);
        }
    }

    async fn call(&mut self, method: &str, params: Value) -> io::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await?;
        let end = Instant::now() + PATIENCE;
        loop {
            let mut message = self.read(end).await?;
            if message["id"] == id {
                if let Some(error) = message.get("error") {
                    return Err(io::Error::other(format!("{method}: {error}")));
                }
                return Ok(message["result"].take());
            }
            self.note(message);
        }
    }

    fn note(&mut self, event: Value) {
        let entry = &event["params"]["entry"];
        match event["method"].as_str() {
            Some("Log.entryAdded") if entry["level"] == "error" => {
                self.complaints.push(format!("{}: {}", entry["text"], entry["url"]));
            }
            Some("Runtime.exceptionThrown") => self.complaints.push(event["params"].to_string()),
            _ => {}
        }
        self.events.push_back(event);
    }

    async fn read(&mut self, end: Instant) -> io::Result<Value> {
        let mut message = Vec::new();
        let read = timeout_at(end, self.from.read_until(0, &mut message)).await;
        if read.map_err(io::Error::other)?? == 0 {
            return Err(io::Error::other("the browser has ended"));
        }
        message.pop();
        serde_json::from_slice(&message).map_err(io::Error::other)
    }
}
