"""From a decided message to what is sent: templates, e-mail as bytes, SMS text and its segments."""
