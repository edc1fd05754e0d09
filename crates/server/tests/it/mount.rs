//! A server that has but a path of a host: what is found there, and where its answers lead.

use mcpanel_server::mount::BasePath;
use serde_json::json;

use crate::support::{Answer, Client, TestServer};

const BASE: &str = "/teams/a";

async fn mounted() -> TestServer {
    let mut server = TestServer::new().await;
    server.below(BASE.parse::<BasePath>().unwrap());
    server
}

/// Somebody with a browser, who is signed in.
async fn browser(server: &TestServer) -> Client {
    let body = json!({"name": "a browser's", "permissions": ["task:read", "agent:read", "pipeline:read",
        "pipeline:create", "event:read", "artifact:read", "artifact:write", "key:manage"]});
    let made = server.admin().post("/api/v1/keys", body).await.ok(201);
    let key = made["api_key"].as_str().unwrap();
    server
        .anonymous()
        .with_header("accept", "text/html")
        .with_header("cookie", &format!("mcpanel_session={key}"))
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers[name].to_str().unwrap()
}

/// The values of a page's attributes that begin with a slash, without those that only repeat what somebody wrote.
fn places(page: &str) -> Vec<&str> {
    let with_names = page.match_indices("=\"/").map(|(at, _)| {
        let name = page[..at].rsplit([' ', '<']).next().unwrap();
        let value = page[at + 2..].split('"').next().unwrap();
        (name, value)
    });
    with_names
        .filter(|(name, _)| !["value", "title"].contains(name))
        .map(|(_, value)| value)
        .collect()
}

#[tokio::test]
async fn the_api_is_found_below_the_path_and_beside_it() {
    let server = mounted().await;
    let admin = server.admin();
    let made = admin
        .post(
            &format!("{BASE}/api/v1/tasks"),
            json!({"task_type": "echo"}),
        )
        .await;
    let id = made.ok(201)["task_id"].as_str().unwrap().to_owned();
    assert_eq!(
        header(&made, "location"),
        format!("{BASE}/api/v1/tasks/{id}")
    );
    admin.get(header(&made, "location")).await.ok(200);
    admin.get(&format!("/api/v1/tasks/{id}")).await.ok(200);
    server
        .anonymous()
        .get(&format!("{BASE}/health/live"))
        .await
        .ok(200);
    server.anonymous().get("/health/live").await.ok(200);
    server
        .anonymous()
        .get("/teams/b/health/live")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn every_link_of_every_page_leads_below_the_path() {
    let server = mounted().await;
    let task = server.task("echo").await;
    server.agent("reader", &["echo"]).await;
    let browser = browser(&server).await;
    let pages = [
        "".to_owned(),
        "/".to_owned(),
        "/agents".to_owned(),
        "/agents/reader".to_owned(),
        "/tasks?q=%2Fetc".to_owned(),
        format!("/tasks/{task}"),
        "/pipelines".to_owned(),
        "/pipelines/new".to_owned(),
        "/events".to_owned(),
        "/operations".to_owned(),
        "/settings/keys".to_owned(),
        "/settings/templates".to_owned(),
        "/settings/templates/techdeck".to_owned(),
        "/sign-in".to_owned(),
        "/no-such-page".to_owned(),
    ];
    for page in pages {
        let answer = browser.get(&format!("{BASE}{page}")).await;
        let expected = if page == "/no-such-page" { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{page}: {}", answer.text());
        let text = answer.text();
        let places = places(&text);
        assert!(places.len() > 5, "{page}: {places:?}");
        for place in places {
            assert!(place.starts_with("/teams/a/"), "{page} leads to {place}");
        }
    }
    let style = browser.get(&format!("{BASE}/")).await.text();
    let style = places(&style)
        .into_iter()
        .find(|place| place.ends_with(".css"))
        .unwrap()
        .to_owned();
    assert!(browser.get(&style).await.text().contains('{'));
}

#[tokio::test]
async fn the_way_to_the_form_and_back_stays_below_the_path() {
    let server = mounted().await;
    let stranger = server.anonymous().with_header("accept", "text/html");
    let sent = stranger.get(&format!("{BASE}/tasks?status=failed")).await;
    assert_eq!(sent.status, 303);
    assert_eq!(
        header(&sent, "location"),
        format!("{BASE}/sign-in?next=%2Ftasks%3Fstatus%3Dfailed")
    );
    let form = stranger.get(header(&sent, "location")).await;
    assert!(header(&form, "set-cookie").contains(&format!("; Path={BASE};")));
    let cookie = header(&form, "set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let page = form.text();
    let hidden = |name: &str| {
        let rest = page
            .split(&format!("name=\"{name}\" value=\""))
            .nth(1)
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let key = server
        .admin()
        .post(
            "/api/v1/keys",
            json!({"name": "k", "permissions": ["task:read"]}),
        )
        .await;
    let key = key.ok(201)["api_key"].as_str().unwrap().to_owned();
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("csrf", &hidden("csrf"))
        .append_pair("next", &hidden("next"))
        .append_pair("credential", &key)
        .finish();
    let entered = stranger
        .request("POST", &format!("{BASE}/sign-in"))
        .header("cookie", &cookie)
        .header("origin", "https://panel.example")
        .header("host", "panel.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .await;
    assert_eq!(entered.status, 303, "{}", entered.text());
    assert_eq!(
        header(&entered, "location"),
        format!("{BASE}/tasks?status=failed")
    );
    let session = entered
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .find(|cookie| cookie.starts_with("__Secure-mcpanel_session="))
        .unwrap();
    assert!(session.contains(&format!("; Path={BASE};")) && session.contains("; Secure"));
    let inside = stranger
        .request("GET", &format!("{BASE}/tasks"))
        .header("cookie", session.split(';').next().unwrap())
        .empty()
        .await;
    assert_eq!(inside.status, 200);
}

#[tokio::test]
async fn documents_say_where_the_server_is_found() {
    let server = mounted().await;
    let anonymous = server.anonymous();
    let openapi = anonymous.get(&format!("{BASE}/openapi.json")).await.ok(200);
    assert_eq!(openapi["servers"][0]["url"], BASE);
    let docs = anonymous.get(&format!("{BASE}/docs")).await;
    assert_eq!(header(&docs, "location"), format!("{BASE}/docs/"));
    let begins = anonymous
        .get(&format!("{BASE}/docs/swagger-initializer.js"))
        .await
        .text();
    assert!(
        begins.contains(&format!("\"{BASE}/openapi.json\"")),
        "{begins}"
    );
    let redoc = anonymous.get(&format!("{BASE}/redoc")).await.text();
    assert!(
        redoc.contains(&format!("spec-url=\"{BASE}/openapi.json\"")),
        "{redoc}"
    );
    assert!(
        redoc.contains(&format!("src=\"{BASE}/redoc/redoc.standalone.js\"")),
        "{redoc}"
    );
}

#[tokio::test]
async fn files_that_somebody_stored_stay_as_they_are() {
    let server = mounted().await;
    let report = "<a href=\"/elsewhere\">x</a>";
    let stored = server
        .admin()
        .request("POST", "/api/v1/artifacts?name=report.html&role=report")
        .header("content-type", "text/html")
        .body(report)
        .await
        .ok(201);
    let id = stored["artifact_id"].as_str().unwrap();
    let shown = browser(&server)
        .await
        .get(&format!("{BASE}/artifacts/{id}/view"))
        .await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    assert_eq!(shown.text(), report);
}
