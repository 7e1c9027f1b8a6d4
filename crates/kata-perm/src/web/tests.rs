use super::*;

fn check(test: &str, stance: Stance, url: &str, expect: Truth) {
    let test: UrlTest = serde_json::from_str(test).expect("a valid test");
    let truth = Address::read(url).map_or(Truth::Unknown, |address| test.is_match(&address, stance));
    assert_eq!(truth, expect, "{url:?} {stance:?}");
}

#[test]
fn a_url_that_is_allowed_is_what_it_looks_like() {
    let test = r#"{ "hosts": ["docs.rs", "*.example.com", "[::1]:8080"], "paths": ["/crate/**"] }"#;
    for (url, expect) in [
        ("https://docs.rs/crate/url/latest", Truth::Yes),
        ("https://docs.rs/crate/url?next=http://evil", Truth::Yes),
        ("https://DOCS.rs:443/crate/url", Truth::Yes),
        ("https://a.b.example.com/crate/x", Truth::Yes),
        ("https://[::1]:8080/crate/x", Truth::Yes),
        ("https://example.com/crate/x", Truth::No),
        ("https://.example.com/crate/x", Truth::No),
        ("https://badexample.com/crate/x", Truth::No),
        ("http://docs.rs/crate/x", Truth::No),
        ("https://docs.rs:8443/crate/x", Truth::No),
        ("https://docs.rs./crate/x", Truth::No),
        ("https://docs.rs.evil/crate/x", Truth::No),
        ("https://d\u{43e}cs.rs/crate/x", Truth::Unknown),
        ("https://xn--dcs-emc.rs/crate/x", Truth::No),
        ("https://docs.rs/crate/../admin", Truth::No),
        ("https://docs.rs/crate/%2e%2e/admin", Truth::No),
        ("https://docs.rs/crate/..%2fadmin", Truth::Unknown),
        ("https://docs.rs/crate/%252e%252e/x", Truth::Unknown),
        ("https://docs.rs@evil.com/crate/x", Truth::Unknown),
        ("https://evil.com#@docs.rs/crate/x", Truth::No),
        ("https://evil.com\\@docs.rs/crate/x", Truth::Unknown),
        ("https://docs.rs\t/crate/x", Truth::Unknown),
        (" https://docs.rs/crate/x", Truth::Unknown),
        ("https:docs.rs/crate/x", Truth::Unknown),
        ("https:///docs.rs/crate/x", Truth::Unknown),
        ("javascript:alert(1)", Truth::Unknown),
        ("file:///etc/passwd", Truth::Unknown),
        ("/crate/x", Truth::Unknown),
        ("", Truth::Unknown),
    ] {
        check(test, Stance::Grants, url, expect);
    }
}

#[test]
fn a_url_that_is_denied_is_also_what_it_may_be_taken_for() {
    let test = r#"{ "hosts": ["intra.net"], "paths": ["/admin", "/admin/**"] }"#;
    for (url, expect) in [
        ("https://intra.net/admin/x", Truth::Yes),
        ("http://intra.net:8080/admin", Truth::Yes),
        ("https://INTRA.net./admin", Truth::Yes),
        ("https://user@intra.net/x/../admin", Truth::Yes),
        ("https://intra.net/%61dmin", Truth::Unknown),
        ("https://intra.net/public", Truth::No),
        ("https://other.net/admin", Truth::No),
        ("not a url", Truth::Unknown),
    ] {
        check(test, Stance::Restricts, url, expect);
    }
}

#[test]
fn hosts_are_read_as_urls_are() {
    for host in ["", "a/b", "a@b", "*", "a.*.b", "https://a", "a b", "a?b", "a#b"] {
        assert!(Host::from_text(host).is_err(), "{host:?}");
    }
    check(
        r#"{ "hosts": ["BÜCHER.example"] }"#,
        Stance::Grants,
        "https://xn--bcher-kva.example/",
        Truth::Yes,
    );
    check(
        r#"{ "hosts": ["127.0.0.1"] }"#,
        Stance::Restricts,
        "http://0x7f.1/",
        Truth::Yes,
    );
}

#[test]
fn paths_of_an_api_are_plain() {
    for (path, expect) in [
        ("/v1/issues?q=a/../b", true),
        ("v1/issues", true),
        ("/v1/../admin", false),
        ("/v1/%2E%2e/admin", false),
        ("/v1//admin", false),
        ("//evil/v1/", false),
        ("https://evil/v1/", false),
        ("/v1/a b", false),
        ("/v1/\r\nHost: x", false),
        ("/v1\\..", false),
        ("/v1/\u{ff0e}\u{ff0e}/x", false),
    ] {
        assert_eq!(is_plain_api_path(path), expect, "{path:?}");
    }
}
