"""A throw-away Dovecot: IMAP, IMAPS, STARTTLS, LMTP, IDLE, MOVE, UIDPLUS, XOAUTH2, on loopback.

    with Dovecot() as dovecot:
        dovecot.append("desk", b"Subject: hello\\r\\n\\r\\nbody\\r\\n")

Any user name exists; what follows an @ in it is ignored; the password, and the XOAUTH2 bearer token,
is `PASSWORD`. Runs as root (mail then belongs to the user "mail") and as an ordinary user (everything
then belongs to that user).
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from tests.servers import free_port, missing_server, wait_until
from tests.servers.certificates import Certificates, make_certificates

PASSWORD = "secret"

_CONFIGURATION = """\
protocols = imap lmtp
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
auth_username_format = %Ln
default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {login_user}
first_valid_uid = 1
mail_location = maildir:{root}/mail/%u/Maildir
mail_plugins =
mail_max_userip_connections = 100
mailbox_idle_check_interval = 1 s
maildir_very_dirty_syncs = no
mail_fsync = never
lmtp_save_to_detail_mailbox = no
recipient_delimiter = +
{extra}
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_group} home={root}/mail/%u allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
  chroot =
  service_count = 0
  process_min_avail = 1
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
  user = {mail_user}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


def _binary() -> str | None:
    return shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")


def require_dovecot() -> None:
    """Skip (or fail, see `missing_server`) the running test where Dovecot is not installed."""
    if _binary() is None:
        missing_server("no dovecot binary is installed (apt-get install dovecot-imapd dovecot-lmtpd)")


class Dovecot:
    """One server; usable as a context manager. `extra` is added to the configuration's global part."""

    host = "127.0.0.1"

    def __init__(self, *, extra: str = "") -> None:
        require_dovecot()
        self.root = Path(tempfile.mkdtemp(prefix="mt-dovecot-"))
        self.root.chmod(0o755)  # as root, Dovecot's processes are other users and must reach it
        self.certificates: Certificates = make_certificates(self.root / "tls")
        self.imap_port = free_port()
        self.imaps_port = free_port()
        self.lmtp_port = free_port()
        self._extra = extra
        self._process: subprocess.Popen[bytes] | None = None
        self._write_configuration()

    def __enter__(self) -> Dovecot:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def ca_file(self) -> Path:
        """The CA to verify this server's certificate with."""
        return self.certificates.ca_file

    def start(self) -> None:
        """Start, or start again after `stop`, on the same ports with the same mail."""
        binary = _binary()
        assert binary is not None
        with (self.root / "stderr.log").open("ab") as log:
            self._process = subprocess.Popen(
                [binary, "-F", "-c", str(self.root / "dovecot.conf")], stdout=log, stderr=log
            )
        wait_until(self._answers, f"Dovecot answers; {self.log()}", bound=20)

    def stop(self) -> None:
        """End the server and wait for it; open connections are closed."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def kick(self, user: str) -> None:
        """Disconnect every session of a user, as a server does on maintenance."""
        self._doveadm("kick", user)

    def set_uidvalidity(self, user: str, folder: str, value: int) -> None:
        """Give a folder a new UIDVALIDITY, as a restored backup or a rebuilt index would."""
        self._doveadm("mailbox", "update", "-u", user, "--uid-validity", str(value), folder)

    def client(self, user: str) -> Any:
        """A logged-in IMAPClient of the tests' own, to be closed with `logout` or a with statement."""
        client = IMAPClient(self.host, port=self.imap_port, ssl=False, timeout=20)
        client.login(user, PASSWORD)
        return client

    def append(self, user: str, raw: bytes, folder: str = "INBOX") -> None:
        """Put a message into a folder over IMAP, bytes unchanged."""
        with self.client(user) as client:
            client.append(folder, raw)

    def messages(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """The raw messages of a folder, in UID order; [] when the folder does not exist."""
        with self.client(user) as client:
            if not client.folder_exists(folder):
                return []
            client.select_folder(folder, readonly=True)
            uids = client.search(["ALL"])
            found = client.fetch(uids, ["BODY.PEEK[]"]) if uids else {}
            return [found[uid][b"BODY[]"] for uid in sorted(found)]

    def deliver(self, user: str, raw: bytes, sender: str = "sender@customer.example") -> None:
        """Deliver a message into the INBOX over LMTP."""
        with smtplib.LMTP(self.host, self.lmtp_port, timeout=20) as lmtp:
            lmtp.sendmail(sender, [f"{user}@localhost"], raw)

    def log(self) -> str:
        """The last lines of the server's logs, for a failing test's message."""
        lines = []
        for name in ("dovecot.log", "stderr.log"):
            path = self.root / name
            if path.exists():
                lines += path.read_text(errors="replace").splitlines()[-10:]
        return " | ".join(lines)

    def _doveadm(self, *arguments: str) -> None:
        doveadm = shutil.which("doveadm") or "/usr/bin/doveadm"
        command = [doveadm, "-c", str(self.root / "dovecot.conf"), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            raise AssertionError(f"doveadm {' '.join(arguments)}: {done.stderr.strip()}")

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"Dovecot ended at once: {self.log()}")
        try:
            with socket.create_connection((self.host, self.imap_port), timeout=2) as connection:
                return connection.recv(64).startswith(b"* OK")
        except OSError:
            return False

    def _write_configuration(self) -> None:
        (self.root / "mail").mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.root / "mail", "mail", "mail")
            users = {"internal_user": "nobody", "internal_group": "nogroup", "login_user": "nobody"}
            users |= {"mail_user": "mail", "mail_group": "mail"}
        else:
            user = pwd.getpwuid(os.geteuid()).pw_name
            group = grp.getgrgid(os.getegid()).gr_name
            users = {"internal_user": user, "internal_group": group, "login_user": user}
            users |= {"mail_user": user, "mail_group": group}
        text = _CONFIGURATION.format(
            root=self.root,
            certificate=self.certificates.certificate,
            key=self.certificates.key,
            password=PASSWORD,
            imap_port=self.imap_port,
            imaps_port=self.imaps_port,
            lmtp_port=self.lmtp_port,
            extra=self._extra,
            **users,
        )
        (self.root / "dovecot.conf").write_text(text)
