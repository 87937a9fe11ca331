"""Devices by what events tell of them; made-up texts cost no more than real ones."""

import pytest

from server.ingest.device import MAX_DEVICE, device_of

AGENTS = {
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile": "Pixel 8",
    "Mozilla/5.0 (Linux; Android 12; SM-G991B Build/SP1A.210812.016; wv) AppleWebKit/537.36 Version/4.0": "SM-G991B",
    "Mozilla/5.0 (Linux; U; Android 9; zh-cn; MI 8 Build/PKQ1) AppleWebKit/537.36": "MI 8",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile": "Android",
    "Mozilla/5.0 (Android 14; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0": "Android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148": "iPhone",
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15": "iPad",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36": "Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15": "Mac",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/141.0.0.0": "ChromeOS",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0": "Linux",
    "curl/8.0": "",
    "": "",
}


@pytest.mark.parametrize(("agent", "device"), AGENTS.items())
def test_the_user_agent_tells_of_the_device(agent: str, device: str) -> None:
    assert device_of("", "", agent) == device


def test_the_model_goes_before_all_else_and_the_system_is_the_last_resort() -> None:
    windows = next(agent for agent, device in AGENTS.items() if device == "Windows")
    assert device_of("iPhone 15", "iOS 18.1", windows) == "iPhone 15"
    assert device_of("", "Windows 11", windows) == "Windows"
    assert device_of("", "HarmonyOS 5", "curl/8.0") == "HarmonyOS 5"


@pytest.mark.parametrize("text", ["x" * 100_000, "Android" + "; " * 50_000, "Android; " + "a " * 50_000, "\0" * 1_000])
def test_any_text_ends_up_short_and_storable(text: str) -> None:
    for told in (device_of(text, "", ""), device_of("", text, ""), device_of("", "", text)):
        assert len(told) <= MAX_DEVICE
        assert "\0" not in told
