//! Which language a visitor reads: the choice in a cookie, else the browser's settings, else English.

use warp::http::HeaderMap;

use super::session::cookie_value;
use crate::domain::language::Language;
use crate::negotiation;

/// The cookie in which a visitor's choice is kept.
pub(crate) const COOKIE: &str = "lang";

/// What a visitor reads best.
pub(crate) fn preferred(headers: &HeaderMap) -> Language {
    cookie_value(headers, COOKIE)
        .and_then(Language::parse)
        .or_else(|| negotiation::language::preferred(headers, Language::of_range))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use warp::http::header;

    use super::*;

    fn language(accept: &str, cookie: Option<&str>) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
        if let Some(cookie) = cookie {
            headers.insert(header::COOKIE, cookie.parse().unwrap());
        }
        preferred(&headers).tag()
    }

    #[test]
    fn the_browsers_settings_choose_the_language() {
        for (accept, expected) in [
            ("", "en"),
            ("en", "en"),
            ("en-GB,en;q=0.9", "en"),
            ("zh", "zh-CN"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
            ("zh-Hans", "zh-CN"),
            ("ZH-hans-SG", "zh-CN"),
            ("zh-TW", "zh-CN"),
            ("en;q=0.8, zh-CN", "zh-CN"),
            ("zh;q=0.5,en;q=0.9", "en"),
            ("zh;q=0,en;q=0.1", "en"),
            ("zh;q=0", "en"),
            ("de,zh;q=0.7,en;q=0.3", "zh-CN"),
            ("de,fr;q=0.5", "en"),
            ("*", "en"),
            ("de, *;q=0.1", "en"),
            ("zho-not-a-range, zhx", "en"),
            (";q=1,,zh ; q=0.3", "zh-CN"),
            ("zh;q=much,en", "en"),
        ] {
            assert_eq!(language(accept, None), expected, "{accept:?}");
        }
    }

    #[test]
    fn a_visitors_choice_wins() {
        assert_eq!(language("zh-CN", Some("lang=en")), "en");
        assert_eq!(language("en", Some("a=b; lang=zh-CN; c=d")), "zh-CN");
        assert_eq!(language("zh-CN", Some("lang=tlh")), "zh-CN");
        assert_eq!(language("zh-CN", Some("xlang=en")), "zh-CN");
    }
}
