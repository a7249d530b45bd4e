"""Refuses connections and name look-ups that leave this machine; used by tests and by the kernels they start."""

import ipaddress
import socket

INTERNET = {socket.AF_INET, socket.AF_INET6}
ADDRESS_POSITION = {"connect": 0, "connect_ex": 0, "sendto": -1}


def install() -> None:
    """Guard this process's sockets. Calling it again changes nothing."""
    if getattr(socket.getaddrinfo, "loopback_only", False):
        return
    for method, position in ADDRESS_POSITION.items():
        setattr(socket.socket, method, _guarded_method(getattr(socket.socket, method), position))
    for function in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, function, _guarded_look_up(getattr(socket, function)))


def is_local(host: str | bytes | None) -> bool:
    """Whether a name or address means this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name.lower() in {"localhost", socket.gethostname().lower()}:
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guarded_method(original, position):
    def guarded(self, *arguments):
        if self.family in INTERNET:
            _refuse_unless_local(arguments[position][0])
        return original(self, *arguments)

    return guarded


def _guarded_look_up(original):
    def guarded(host, *arguments, **named):
        _refuse_unless_local(host)
        return original(host, *arguments, **named)

    guarded.loopback_only = True
    return guarded


def _refuse_unless_local(host):
    if not is_local(host):
        raise OSError(f"The course runs offline: its tests refuse the connection to {host!r}.")
