//! Workers against a server made for the purpose.
