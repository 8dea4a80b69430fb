//! The way from the transports to a feed, bounded in inputs and in their bytes. When it is full, sockets are no longer read, so a
//! wall that can't keep up makes its peer wait instead of piling up (H5).

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use watchfloor_feed::Input;

use super::MESSAGE_BYTES_MAX;

/// Inputs that wait for a feed.
const INPUTS_MAX: usize = 16;
/// Bytes of all that wait: one message of the greatest size has room. A larger document waits until nothing else does.
const BYTES_MAX: usize = MESSAGE_BYTES_MAX;

/// Where transports put what happens.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    sender: mpsc::Sender<(Input, Option<OwnedSemaphorePermit>)>,
    room: Arc<Semaphore>,
}

/// Where a feed's task takes it.
#[derive(Debug)]
pub(crate) struct Heard(mpsc::Receiver<(Input, Option<OwnedSemaphorePermit>)>);

/// Nobody takes inputs any more.
#[derive(Debug)]
pub(crate) struct Unheard;

/// A way for one feed.
pub(crate) fn inputs() -> (Inputs, Heard) {
    let (sender, receiver) = mpsc::channel(INPUTS_MAX);
    (Inputs { sender, room: Arc::new(Semaphore::new(BYTES_MAX)) }, Heard(receiver))
}

impl Inputs {
    /// Puts an input; waits for room.
    pub(crate) async fn send(&self, input: Input) -> Result<(), Unheard> {
        let bytes = u32::try_from(bytes(&input).min(BYTES_MAX)).unwrap_or(u32::MAX);
        let share = match bytes {
            0 => None,
            // The semaphore is never closed; if nobody takes any more, the queue says so.
            bytes => Arc::clone(&self.room).acquire_many_owned(bytes).await.ok(),
        };
        self.sender.send((input, share)).await.map_err(|_| Unheard)
    }
}

impl Heard {
    /// The next input, once there is one; none when there can be none any more. Its bytes no longer count.
    pub(crate) async fn recv(&mut self) -> Option<Input> {
        self.0.recv().await.map(|(input, _share)| input)
    }

    /// The next input, if there is one.
    pub(crate) fn try_recv(&mut self) -> Option<Input> {
        self.0.try_recv().ok().map(|(input, _share)| input)
    }
}

fn bytes(input: &Input) -> usize {
    match input {
        Input::Text { text: bytes, .. }
        | Input::Binary { bytes, .. }
        | Input::Chunk { bytes, .. }
        | Input::Answered { body: bytes, .. } => bytes.len(),
        Input::Fetched { outcome: Ok(response), .. } | Input::Exchanged { outcome: Ok(response), .. } => {
            response.body.len()
        }
        Input::Opened { .. }
        | Input::Pong { .. }
        | Input::Closed { .. }
        | Input::Failed { .. }
        | Input::Head { .. }
        | Input::Fetched { outcome: Err(_), .. }
        | Input::Exchanged { outcome: Err(_), .. }
        | Input::Credential { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use watchfloor_feed::LinkId;

    use super::*;

    /// H5: however large messages are, no more than one of the largest waits; small ones, as many as there are places.
    #[tokio::test(start_paused = true)]
    async fn bytes_and_inputs_are_bounded() {
        let link = LinkId(1);
        for (text, most) in
            [(Bytes::from(vec![b'x'; MESSAGE_BYTES_MAX / 4]), 4), (Bytes::from_static(b"x"), INPUTS_MAX)]
        {
            let (inputs, mut heard) = inputs();
            let sending = tokio::spawn(async move {
                let mut sent = 0;
                let wait = Duration::from_secs(60);
                while sent < 100
                    && tokio::time::timeout(wait, inputs.send(Input::Text { link, text: text.clone() })).await.is_ok()
                {
                    sent += 1;
                }
                (sent, inputs)
            });
            let (sent, inputs) = sending.await.unwrap();
            assert_eq!(sent, most);
            heard.recv().await.unwrap();
            inputs.send(Input::Pong { link }).await.unwrap();
        }
        let (inputs, mut heard) = inputs();
        let text = Bytes::from(vec![b'x'; 4 * MESSAGE_BYTES_MAX]);
        inputs.send(Input::Text { link, text }).await.unwrap();
        assert!(heard.try_recv().is_some() && heard.try_recv().is_none());
        drop(heard);
        assert!(inputs.send(Input::Pong { link }).await.is_err());
    }
}
