"""Which addresses a webhook may reach: those of the public internet."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_ALSO_REFUSED = (
    ip_network("168.63.129.16/32"),  # public by number, Azure's metadata and agent by meaning
    # of the registries, those that not every Python version knows
    ip_network("192.0.0.0/24"),  # Oracle's metadata at .192 too
    ip_network("64:ff9b:1::/48"),  # NAT64 of a local network (RFC 8215)
    ip_network("2001:2::/48"),
    ip_network("fec0::/10"),
    ip_network("3fff::/20"),
    ip_network("5f00::/16"),
)
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE = ip_network("::/96")  # IPv4-compatible, RFC 4291, section 2.5.5.1


def refusal(address: str) -> str | None:
    """Why a numeric address is not of the public internet, None when it is.

    Private, loopback, link-local, shared, metadata, multicast, reserved and unspecified ones are
    not (the IANA special-purpose registries), nor are IPv6 addresses that such a one is inside of.
    """
    ip = ip_address(address)
    inner = _embedded(ip) if isinstance(ip, IPv6Address) else None
    if inner is not None:
        why = refusal(str(inner))
        return why and f"{why} (it is inside of {ip})"
    public = ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
    if public and not any(ip in network for network in _ALSO_REFUSED):
        return None
    return f"{ip} is {_kind(ip)}"


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 0xFFFF):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def _kind(ip: IPv4Address | IPv6Address) -> str:
    names = ("unspecified", "loopback", "link_local", "multicast", "private", "reserved")
    found = next((name for name in names if getattr(ip, f"is_{name}")), None)
    return f"{found.replace('_', '-')}" if found else "not an address of the internet"
