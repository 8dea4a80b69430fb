//! A site's own tiles in a real window: they are a map's ground where they are asked for, and whatever is wrong with them, the shipped ground stands
//! there and the wall says why.

use std::{convert::Infallible, fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::stream;
use serde_json::json;
use tokio::net::TcpListener;
use watchfloor_tests::{desktop::Desktop, page::Page};

/// WebGL is drawn by software here.
const LIMIT: Duration = Duration::from_secs(90);

const BOARD: &str = r#"
[board]
title = "Vans"

[[source]]
id = "ops"
kind = "sse"
url = "URL"
channels = ["ops"]
heartbeat = "1s"

[[widget]]
id = "vans"
kind = "markers"
key = "van"
lat = "lat"
lon = "lon"
bounds = [5, 45, 16, 52]
tiles = "data/land.pmtiles"
"#;

/// A van that is where it was.
async fn feed() -> Response {
    let chunks = stream::unfold(0_u64, |number| async move {
        if number > 0 {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let text = format!("id: {number}\ndata: {}\n\n", json!({ "van": "V1", "lat": 47.0, "lon": 9.0 }));
        Some((Ok::<_, Infallible>(text), number + 1))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(chunks)).into_response()
}

/// A PMTiles file (version 3) of one tile, all of the earth, whose bytes are these.
fn pmtiles(tile: &[u8]) -> Vec<u8> {
    let metadata = br#"{"vector_layers":[{"id":"earth","fields":{}}]}"#;
    let length = u8::try_from(tile.len()).unwrap_or(u8::MAX);
    // One entry: its number, its run, its length in less than 128 bytes, its place and one.
    let directory = [1, 0, 1, length, 1];
    let mut bytes = b"PMTiles\x03".to_vec();
    let mut at = 127;
    for part in [directory.len(), metadata.len(), 0, tile.len()] {
        bytes.extend(u64::to_le_bytes(at));
        bytes.extend(u64::to_le_bytes(part as u64));
        at += part as u64;
    }
    bytes.extend([1_u64; 3].map(u64::to_le_bytes).concat());
    // Tiles follow each other; nothing is packed; vector tiles; zoom 0 alone.
    bytes.extend([1, 1, 1, 1, 0, 0]);
    for degrees in [-180, -85, 180, 85] {
        bytes.extend((degrees * 10_000_000_i32).to_le_bytes());
    }
    bytes.resize(127, 0);
    [&bytes[..], &directory, metadata, tile].concat()
}

/// A file whose only directory says that what it lists stands in a directory, which is this one.
fn circular() -> Vec<u8> {
    let mut bytes = pmtiles(&earth());
    // Leaf directories stand where the first one does; its run is none, and its length its own.
    bytes[40..48].copy_from_slice(&u64::to_le_bytes(127));
    bytes[48..56].copy_from_slice(&u64::to_le_bytes(5));
    (bytes[129], bytes[130]) = (0, 5);
    bytes
}

/// A tile whose one layer, `earth`, has one square: a vector tile of Mapbox's version 2.
fn earth() -> Vec<u8> {
    // To its first corner, along three sides, and closed; each number is doubled.
    let geometry = [9, 0, 0, 26, 0x80, 0x40, 0, 0, 0x80, 0x40, 0xff, 0x3f, 0, 15];
    let mut feature = vec![0x18, 3, 0x22, u8::try_from(geometry.len()).unwrap_or_default()];
    feature.extend(geometry);
    let mut layer = b"\x78\x02\x0a\x05earth\x12".to_vec();
    layer.push(u8::try_from(feature.len()).unwrap_or_default());
    layer.extend(feature);
    layer.extend([0x28, 0x80, 0x20]);
    let mut tile = vec![0x1a, u8::try_from(layer.len()).unwrap_or_default()];
    tile.extend(layer);
    tile
}

async fn stands_on(page: &Page, ground: &str) -> Result<()> {
    let condition = format!("return document.querySelector('[data-ground]')?.dataset.ground === '{ground}'");
    page.wait_for(&format!("a map on {ground}"), &condition, LIMIT).await.map(drop)
}

async fn says(page: &Page, words: &str) -> Result<()> {
    let condition =
        format!("return document.querySelector('[data-notice=tiles]')?.textContent.includes('{words}') === true");
    page.wait_for(words, &condition, LIMIT).await.map(drop)
}

/// Puts a file in another's place, as a copy that is moved there is.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, bytes)?;
    Ok(fs::rename(beside, path)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sites_own_tiles_and_whatever_is_wrong_with_them() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/events", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/events", get(feed))).await });
    let folder = tempfile::tempdir()?;
    let (board, tiles) = (folder.path().join("board.toml"), folder.path().join("data/land.pmtiles"));
    fs::write(&board, BOARD.replace("URL", &url))?;
    fs::create_dir(tiles.parent().context("a folder")?)?;
    let board = board.to_str().context("a path")?;
    let data = folder.path().join("wall");
    let data = data.to_str().context("a path")?;
    let args = ["--board", board, "--data-dir", data, "--notifications", "off"];

    let desktop = Desktop::with_driver(1280, 720).await?;
    let page = Page::new(desktop.open_wall(&[&args[..], &["--map", "tiles"]].concat()).await?);
    says(&page, "there is no such file").await?;
    stands_on(&page, "canvas").await?;
    put(&tiles, &pmtiles(&earth()))?;
    stands_on(&page, "tiles").await?;
    page.wait_for("no notice", "return document.querySelector('[data-notice=tiles]') === null", LIMIT).await?;
    // H8: of what the board doesn't name nothing is read.
    for file in ["board.toml", "../board.toml", "/etc/passwd", "data/../data/land.pmtiles", ""] {
        let asked = json!({ "file": file });
        ensure!(page.invoke("tiles_open", asked).await.is_err(), "{file:?} was opened");
        let asked = json!({ "file": file, "version": "", "offset": 0, "length": 10 });
        ensure!(page.invoke("tiles_read", asked).await.is_err(), "{file:?} was read");
    }
    let with = |at: usize, byte: u8| {
        let mut bytes = pmtiles(&earth());
        bytes[at] = byte;
        bytes
    };
    for (bytes, words) in [
        (pmtiles(&[0xff; 40]), "a tile that can"),
        (pmtiles(&earth())[..150].to_vec(), "cut off"),
        (b"root:x:0:0".to_vec(), "no PMTiles"),
        (with(100, 3), "its zooms are 3 to 0"),
        (with(97, 3), "its directories are packed in way 3"),
        // Its only directory names itself.
        (circular(), "depth"),
    ] {
        put(&tiles, &bytes)?;
        says(&page, words).await?;
        stands_on(&page, "canvas").await?;
    }
    put(&tiles, &pmtiles(&earth()))?;
    stands_on(&page, "tiles").await?;
    page.close().await?;

    // This desktop has no GPU: nothing of tiles is drawn, and nothing is amiss.
    let page = Page::new(desktop.open_wall(&args).await?);
    page.wait_for("a van", "return document.querySelector('[data-ground]')?.dataset.drawn === '1'", LIMIT).await?;
    stands_on(&page, "canvas").await?;
    let loaded =
        "return performance.getEntriesByType('resource').some(({ name }) => name.includes('maplibre-gl-worker'))";
    ensure!(page.run(loaded, Vec::new()).await? == json!(false), "the tile map was loaded");
    page.close().await
}
