//! A disk that is full just when something that happened is to be written down.

use kata_testkit::Stage;

#[tokio::test]
async fn what_a_full_disk_refused_is_written_when_there_is_room() {
    for step in ["finish", "settle"] {
        let stage = Stage::set().await;
        let points = format!("{step}.refused=2*return");
        let _host = stage.up(stage.start().failpoints(&points)).await;
        for text in ["one", "two", "three"] {
            stage.slack.user_posts("C1", "U1", text);
            stage.slack.wait_text(text).await;
        }
        assert_eq!(stage.said(), ["one", "two", "three"], "{step}");
    }
}
