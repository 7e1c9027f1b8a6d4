//! Mail that somebody writes to the mailbox.

/// A mail on its way in, with what Google's server finds out about its sender.
#[derive(Clone, Debug)]
pub struct NewMail {
    pub(super) from: String,
    subject: String,
    text: String,
    headers: Vec<(String, String)>,
    attachment: Option<(String, String)>,
    results: Option<String>,
    raw: Option<Vec<u8>>,
    pub(super) labels: Vec<String>,
    pub(super) thread: Option<String>,
}

impl NewMail {
    /// From an address whose domain vouches for it.
    #[must_use]
    pub fn from(address: &str) -> Self {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        Self {
            from: address.to_owned(),
            subject: "Hello".into(),
            text: "Hello.".into(),
            headers: Vec::new(),
            attachment: None,
            results: Some(format!(
                "dkim=pass header.i=@{domain}; dmarc=pass header.from={domain}"
            )),
            raw: None,
            labels: vec!["INBOX".into(), "UNREAD".into()],
            thread: None,
        }
    }

    /// A mail as it was sent, byte by byte.
    #[must_use]
    pub fn raw(bytes: &[u8]) -> Self {
        Self {
            raw: Some(bytes.to_vec()),
            ..Self::from("nobody@example.org")
        }
    }

    /// Its subject.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = subject.to_owned();
        self
    }

    /// Its text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = text.to_owned();
        self
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A text file that comes with it.
    #[must_use]
    pub fn attach(mut self, name: &str, content: &str) -> Self {
        self.attachment = Some((name.to_owned(), content.to_owned()));
        self
    }

    /// What Google's server finds out instead (`dmarc=fail header.from=…`); `None` = nothing.
    #[must_use]
    pub fn results(mut self, results: Option<&str>) -> Self {
        self.results = results.map(str::to_owned);
        self
    }

    /// A label that it gets as it arrives, by name.
    #[must_use]
    pub fn label(mut self, name: &str) -> Self {
        self.labels.push(name.to_owned());
        self
    }

    /// The thread that it belongs to.
    #[must_use]
    pub fn thread(mut self, thread: &str) -> Self {
        self.thread = Some(thread.to_owned());
        self
    }

    /// The mail, with a Message-ID made from `id`.
    pub(super) fn bytes(&self, id: &str) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut mail = String::new();
        if let Some(results) = &self.results {
            mail.push_str(&format!("Authentication-Results: mx.google.com; {results}\r\n"));
        }
        mail.push_str(&format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{id}@mail.example.org>\r\n",
            self.from,
            super::ADDRESS,
            self.subject
        ));
        for (name, value) in &self.headers {
            mail.push_str(&format!("{name}: {value}\r\n"));
        }
        let text = format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n", self.text);
        match &self.attachment {
            None => mail.push_str(&text),
            Some((name, content)) => mail.push_str(&format!(
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"of-{id}\"\r\n\r\n--of-{id}\r\n{text}\
                 --of-{id}\r\nContent-Type: text/plain; name=\"{name}\"\r\nContent-Disposition: attachment; \
                 filename=\"{name}\"\r\n\r\n{content}\r\n--of-{id}--\r\n"
            )),
        }
        mail.into_bytes()
    }
}
