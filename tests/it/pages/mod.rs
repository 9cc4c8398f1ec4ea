//! The pages, as a browser without JavaScript gets them: whole answers, forms, cookies, redirects.

mod accounts;
mod by_hand;
mod compare;
mod dashboard;
mod desk;
mod erasing;
mod groups;
mod lists;
mod organiser;
mod private;
mod questions;
mod sign_in;
mod ticket;
mod two_organisers;
mod visitor;
mod when_and_where;

use super::support::app::{App, PASSWORD, TOKEN};
use super::support::wire::Wire;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// Where a page of the console leads somebody who is not signed in.
fn signs_in_for(path: &str) -> String {
    format!("/admin/login?next={}", path.replace('/', "%2F"))
}

/// A browser: it prefers HTML, keeps cookies and says where its forms come from.
pub(crate) struct Browser<'a> {
    app: &'a App,
    cookies: Vec<(String, String)>,
    language: &'static str,
    /// Where it was led with a proof.
    led: Vec<String>,
}

/// What comes before the proof in an address.
const PROOF: &str = "&sig=";

/// An answer; HTML is on one line.
pub(crate) struct Page {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        Self {
            app,
            cookies: Vec::new(),
            language: "en",
            led: Vec::new(),
        }
    }

    /// Where it was led, it goes with the proof of the redirect.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let with_proof = format!("{path}{PROOF}");
        let mut led = self.led.iter().rev();
        let led = led.find(|address| address.starts_with(&with_proof));
        let address = led.map_or(path, String::as_str).to_owned();
        self.send("GET", &address, "", &[]).await
    }

    async fn post(&mut self, path: &str, body: &str) -> Page {
        let origin = format!("http://{}", self.app.address());
        self.send("POST", path, body, &[("origin", &origin)]).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut wire = Wire::connect(self.app.address()).await;
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let typed = headers.iter().any(|(name, _)| *name == "content-type");
        let kind = if typed {
            ""
        } else {
            "content-type: application/x-www-form-urlencoded\r\n"
        };
        let more: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        wire.send(format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\naccept: text/html,*/*;q=0.8\r\naccept-language: {}\r\ncookie: {}\r\n\
             content-length: {}\r\n{kind}{more}\r\n{body}",
            self.app.address(),
            self.language,
            cookies.join("; "),
            body.len()
        ))
        .await;
        let head = String::from_utf8(wire.read_to(b"\r\n\r\n").await).expect("a head");
        let body = String::from_utf8(wire.rest().await.0).expect("text");
        let is_html = head.contains("content-type: text/html");
        let page = Page {
            status: head[9..12].parse().expect("a status"),
            head,
            body: if is_html { one_line(&body) } else { body },
        };
        for cookie in page.headers("set-cookie") {
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((
                name.to_owned(),
                rest.split(';').next().unwrap_or_default().to_owned(),
            ));
        }
        let led = page.headers("location").into_iter().map(str::to_owned);
        self.led
            .extend(led.filter(|address| address.contains(PROOF)));
        page
    }

    /// Signs in; returns the forms' CSRF token.
    async fn sign_in(&mut self) -> String {
        let page = self
            .post(
                "/admin/login",
                &format!("password={}", PASSWORD.replace(' ', "+")),
            )
            .await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/admin"),
            "{}",
            page.body
        );
        let cookie = page.header("set-cookie");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        self.get("/admin").await.value("csrf")
    }
}

impl Page {
    fn headers(&self, name: &str) -> Vec<&str> {
        self.head
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .collect()
    }

    #[track_caller]
    fn header(&self, name: &str) -> &str {
        self.headers(name)
            .first()
            .unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    /// Where it leads, without the proof.
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        let address = self.header("location");
        address
            .split_once(PROOF)
            .map_or(address, |(address, _)| address)
    }

    /// The value of the first field of that name.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> String {
        let field = self
            .body
            .split("<input")
            .find(|field| field.contains(&format!("name=\"{name}\"")))
            .unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        field
            .split(" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .to_owned()
    }

    /// The number that stands in the page.
    #[track_caller]
    fn registered(&self) -> &str {
        self.body
            .split("data-count-registered>")
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .map_or_else(|| panic!("no number in {}", self.body), str::trim)
    }

    /// A whole page of this site, with everything that every page carries.
    #[track_caller]
    fn is_page(&self, status: u16, keep: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(self.header("content-security-policy"), POLICY);
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("referrer-policy"), "same-origin");
        assert_eq!(self.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(self.header("cache-control"), keep);
        assert!(
            self.body.starts_with("<!doctype html>") && self.body.trim_end().ends_with("</html>"),
            "{}",
            self.body
        );
        for inline in ["<style", " style=\"", " onclick", "javascript:"] {
            assert!(
                !self.body.contains(inline),
                "{inline} would be refused by the page's own policy"
            );
        }
        balanced(&self.body);
    }
}

/// HTML without the line breaks and indentation of the templates.
fn one_line(html: &str) -> String {
    let mut line = String::with_capacity(html.len());
    for part in html.lines().map(str::trim).filter(|part| !part.is_empty()) {
        if !line.ends_with('>') && !part.starts_with(['<', '>']) {
            line.push(' ');
        }
        line.push_str(part);
    }
    line.replace(" />", "/>").trim_start().to_owned()
}

/// Every element that is opened is closed, in order.
#[track_caller]
fn balanced(html: &str) {
    const VOID: [&str; 6] = ["meta", "link", "input", "br", "img", "hr"];
    let (mut open, mut rest) = (Vec::new(), html);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n', '/'])
            .next()
            .unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&name) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(
                open.pop(),
                Some(name),
                "</{name}> closes another element in {html}"
            );
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}
