//! The session's cookie, and how cookies are read.

use std::time::Duration;

use warp::http::{HeaderMap, HeaderValue, header};

/// The session's cookie.
pub const COOKIE: &str = "headcount_session";

/// Not readable by scripts, and not sent along with other sites' requests (RFC 6265bis, section
/// 5.6).
pub(super) fn cookie(value: &str, max_age: Duration, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        max_age.as_secs()
    );
    // Hexadecimal digits and the words above.
    HeaderValue::try_from(text).expect("a plain cookie")
}

/// A cookie's value. HTTP/2 may split the field into several (RFC 9113, section 8.2.3).
pub(crate) fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key.trim() == name).then(|| value.trim().trim_matches('"'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_hours(12);

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("lang=zh; xheadcount_session=no;headcount_session_=no"),
        );
        assert_eq!(cookie_value(&headers, COOKIE), None);
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("broken; headcount_session=\"abc\" ; theme=dark"),
        );
        assert_eq!(cookie_value(&headers, COOKIE), Some("abc"));
    }

    #[test]
    fn cookies_are_guarded() {
        assert_eq!(
            cookie("ab", TTL, false),
            "headcount_session=ab; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"
        );
        assert!(
            cookie("ab", TTL, true)
                .to_str()
                .unwrap()
                .ends_with("; Secure")
        );
    }
}
